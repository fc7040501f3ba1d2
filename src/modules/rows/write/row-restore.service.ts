import { Injectable } from '@nestjs/common';
import { notFound, Problem, type Access, type Answer, type Id } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { HistoryLog, MiniDbLookup, type HeldRow } from '../../../engines/index.js';
import { linkColumnsOf, wholeOf, type CellValue, type ColumnSchema, type TableSchema } from '../../../query/index.js';
import { ColumnTimeline } from '../history/column-timeline.js';
import { rowAnswer } from './row-answer.js';
import type { Manner } from './manner.js';
import { OneRow } from './one-row.js';
import { Fence } from '../../tables/index.js';

type LinkColumn = ReturnType<typeof linkColumnsOf>[number];

/** Use case of taking a row out of the trash. */
@Injectable()
export class RowRestore {
  constructor(
    private readonly fence: Fence,
    private readonly row: OneRow,
    private readonly lookup: MiniDbLookup,
    private readonly log: HistoryLog,
  ) {}

  /**
   * The row with the values that it had, and those of its links that are still possible: to rows that are there, and that no other row was
   * given where only one can have them.
   * @throws Problem `not_found`; `conflict` it is not in the trash; `unique_violation` another row has its value by now
   */
  restore(access: Access, tableId: Id, rowId: Id, manner: Manner): Promise<Answer> {
    return this.fence.run(access, tableId, ({ tableSchema }) => {
      const table = wholeOf(tableSchema);
      const links = linkColumnsOf(table);
      const asked = { kind: 'restore', id: rowId, values: new Map(links.map((column) => [column, null])) } as const;
      return this.row.prepared(
        access,
        tableSchema,
        asked,
        async (session) => {
          const held = await this.lookup.heldInTrash(session, table, rowId);
          if (!held) throw await this.notInTrash(session, tableSchema, rowId);
          const had = links.length === 0 ? undefined : await this.timeline(session, table);
          const values = new Map<ColumnSchema, CellValue>();
          for (const column of links) {
            // A column that has the key of another one by now had none of its links.
            if (had?.at(column.key, held.seq).id !== column.id) continue;
            const rows = await this.possible(session, column, rowId, held.fields);
            if (rows.length > 0) values.set(column, rows);
          }
          return { ...asked, values };
        },
        manner,
        (done, write, work) => rowAnswer(done, write, manner, {}, work),
      );
    });
  }

  private async timeline(session: PgSession, table: TableSchema): Promise<ColumnTimeline> {
    return new ColumnTimeline(table, await this.log.structure(table.physical.schema, table.id, session));
  }

  private async notInTrash(session: PgSession, table: TableSchema, rowId: Id): Promise<Problem> {
    const there = await this.lookup.versions(table, [rowId], session);
    return there.size === 0 ? notFound('row') : new Problem('conflict', { detail: 'The row is not in the trash.' });
  }

  private async possible(
    session: PgSession,
    { key, derived: { link } }: LinkColumn,
    rowId: Id,
    held: HeldRow['fields'],
  ): Promise<readonly Id[]> {
    const before = Array.isArray(held[key]) ? (held[key] as readonly Id[]) : [];
    const there = await this.lookup.versions(link.target, before, session);
    const taken = link.inverseSingle ? await this.lookup.linked(session, link, before) : new Set<Id>();
    // A row may have been linked with itself.
    const rows = before.filter((id) => (there.has(id) || id === rowId) && !taken.has(id));
    return link.single ? rows.slice(0, 1) : rows;
  }
}
