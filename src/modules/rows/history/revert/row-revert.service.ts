import { Injectable } from '@nestjs/common';
import {
  Answer,
  expectedVersion,
  JsonText,
  must,
  notFound,
  Problem,
  type Access,
  type Id,
} from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { HistoryLog, MiniDbLookup } from '../../../../engines/index.js';
import {
  bodyOf,
  isWritable,
  linkColumnsOf,
  refuse,
  wholeOf,
  type RowOp,
  type TableSchema,
} from '../../../../query/index.js';
import { Fence } from '../../../tables/index.js';
import { judged } from '../../write/judged.js';
import type { Manner } from '../../write/manner.js';
import { OneRow } from '../../write/one-row.js';
import { rowAnswer } from '../../write/row-answer.js';
import { ColumnTimeline } from '../column-timeline.js';
import { PossibleValues } from './possible-values.js';
import { tooMany, UNDONE_AT_ONCE } from './limits.js';
import { undo, type Skipped } from './undo.js';
import { withinSight } from './within-sight.js';

/** Use case of giving a row what it held in one of its versions. */
@Injectable()
export class RowRevert {
  constructor(
    private readonly fence: Fence,
    private readonly row: OneRow,
    private readonly lookup: MiniDbLookup,
    private readonly log: HistoryLog,
    private readonly possible: PossibleValues,
  ) {}

  /**
   * A new version of the row, with the values of an older one, within what rules of the table let the caller do. Those that cannot be put back (their column has gone or holds something else
   * now, what they lead to is not there any more) stay as they are and are named.
   * @throws Problem `not_found`, `validation_failed`, `version_mismatch`, `unique_violation`, `ruled_out`; `changes_gone` the log does not reach back so far; `limit_reached`
   */
  run(
    access: Access,
    tableId: Id,
    rowId: Id,
    body: unknown,
    ifMatch: string | undefined,
    manner: Manner,
  ): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      const whole = wholeOf(table);
      const toVersion = await judged(this.lookup, table, rowId, () => versionOf(body));
      let skipped: readonly Skipped[] = [];
      const prepare = async (session: PgSession): Promise<RowOp> => {
        const prepared = await this.prepare(access, session, table, rowId, toVersion);
        ({ skipped } = prepared);
        return { ...prepared.op, ...expectedVersion(ifMatch) };
      };
      const asked = { kind: 'update', id: rowId, values: new Map(linkColumnsOf(whole).map((each) => [each, null])) } as const; // prettier-ignore
      return this.row.prepared(
        access,
        table,
        asked,
        prepare,
        manner,
        (done, write, work) => withSkipped(rowAnswer(done, write, manner, {}, work), skipped),
        { source: 'revert' },
      );
    });
  }

  private async prepare(access: Access, session: PgSession, seen: TableSchema, rowId: Id, toVersion: number) {
    const table = wholeOf(seen);
    const row = (await this.lookup.held(session, table, [rowId], table.columns.filter(isWritable))).get(rowId);
    if (!row) throw notFound('row');
    if (toVersion > row.version)
      throw refuse('/toVersion', 'unknown_version', `The row has version ${row.version} now.`);
    const { schema } = table.physical;
    const { entries: changes, more } = await this.log.behindVersion(schema, table.id, rowId, toVersion, UNDONE_AT_ONCE, session); // prettier-ignore
    if (more) throw tooMany();
    if (changes.length < row.version - toVersion) throw new Problem('changes_gone');
    const timeline = new ColumnTimeline(table, await this.log.structure(schema, table.id, session));
    const undone = withinSight(seen, rowId, undo(rowId, { ...row, inTrash: false }, changes, timeline, true));
    const wanted = { id: rowId, values: undone.values, fields: row.fields };
    const there = await this.possible.referred(access, table, [wanted]);
    const { values, skipped } = await this.possible.linked(session, table, there.wanted);
    const op = { kind: 'update', id: rowId, values: must(values.get(rowId), 'the row was asked for') } as const;
    return { op, skipped: [...undone.skipped, ...there.skipped, ...skipped] };
  }
}

function versionOf(body: unknown): number {
  const { toVersion } = bodyOf(body, '', ['toVersion']);
  if (typeof toVersion === 'number' && Number.isInteger(toVersion) && toVersion >= 1 && toVersion < 2 ** 31)
    return toVersion;
  throw refuse('/toVersion', 'is_version', 'toVersion is a version that the row had: a whole number from 1.');
}

/** The row with a list of what stayed as it was. */
function withSkipped(answer: Answer, skipped: readonly Skipped[]): Answer {
  if (!(answer instanceof JsonText)) return answer;
  const list = JSON.stringify(skipped.map(({ column, code }) => ({ column, code })));
  return new JsonText(`${answer.text.slice(0, -1)},"skipped":${list}}`, answer.options);
}
