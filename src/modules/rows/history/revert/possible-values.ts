import { Injectable } from '@nestjs/common';
import { must, type Access, type Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { MiniDbLookup } from '../../../../engines/index.js';
import {
  linkColumnsOf,
  linkedIds,
  type CellValue,
  type ColumnSchema,
  type TableSchema,
} from '../../../../query/index.js';
import { Referents } from '../../write/referents.js';
import type { Skipped } from './undo.js';

type Values = ReadonlyMap<ColumnSchema, CellValue>;
type LinkColumn = ReturnType<typeof linkColumnsOf>[number];

/** Values that rows are to get back, and what they hold now. */
export interface Wanted {
  readonly id: Id;
  readonly values: Values;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Rows of a table that come back before any values are put back, and rows that go, with what they hold. */
export interface Moving {
  readonly coming: ReadonlySet<Id>;
  readonly going: ReadonlyMap<Id, Wanted['fields']>;
}
const NOBODY: Moving = { coming: new Set(), going: new Map() };

/** By the table that they are of. */
export type Movings = ReadonlyMap<Id, Moving>;

/** Leaves out of values from the past what is not there any more: people who left, files that are gone, rows that were deleted or are taken. */
@Injectable()
export class PossibleValues {
  constructor(
    private readonly lookup: MiniDbLookup,
    private readonly referents: Referents,
  ) {}

  /** People and files. */
  async referred(
    access: Access,
    table: TableSchema,
    wanted: readonly Wanted[],
  ): Promise<{ readonly wanted: readonly Wanted[]; readonly skipped: readonly Skipped[] }> {
    const left = wanted.map((each) => ({ ...each, values: new Map(each.values) }));
    const skipped: Skipped[] = [];
    const ops = wanted.map(({ id, values: of }, index) => ({ index, op: { kind: 'update', id, values: of } as const }));
    for (const [index, findings] of await this.referents.judge(access, table, ops)) {
      const each = must(left[index], 'findings are of what was judged');
      for (const column of table.columns.filter(({ key }) =>
        findings.some(({ pointer }) => pointer === `/fields/${key}`),
      ))
        if (each.values.delete(column)) skipped.push(notPossible(each.id, column));
    }
    return { wanted: left, skipped };
  }

  /** Rows at the other ends of links. */
  async linked(
    session: PgSession,
    table: TableSchema,
    wanted: readonly Wanted[],
    movings: Movings = new Map(),
  ): Promise<{ readonly values: ReadonlyMap<Id, Values>; readonly skipped: readonly Skipped[] }> {
    const values = new Map(wanted.map((each) => [each.id, new Map(each.values)]));
    const skipped: Skipped[] = [];
    for (const column of linkColumnsOf(table)) {
      const linking = wanted.filter((each) => (each.values.get(column) ?? null) !== null);
      const free = freed(column, wanted, movings.get(table.id) ?? NOBODY);
      const atTheOtherEnd = movings.get(column.derived.link.target.id) ?? NOBODY;
      const possible = await this.possible(session, column, linking, atTheOtherEnd, free);
      for (const each of linking) {
        const ids = linkedIds(each.values.get(column));
        const kept = ids.filter((id) => possible(each, id));
        values.get(each.id)?.set(column, kept.length === 0 ? null : kept);
        if (kept.length < ids.length) skipped.push(notPossible(each.id, column));
      }
    }
    return { values, skipped };
  }

  /**
   * Whether a row can be linked (again): it is there; and where it can be linked with one only, nobody has it, or it is its own already, or whoever has
   * it gives it back by the same act. Each is given to the first who asks.
   */
  private async possible(
    session: PgSession,
    column: LinkColumn,
    linking: readonly Wanted[],
    { coming, going }: Moving,
    free: ReadonlySet<Id>,
  ): Promise<(row: Wanted, id: Id) => boolean> {
    const { link } = column.derived;
    const ids = [...new Set(linking.flatMap(({ values }) => linkedIds(values.get(column))))];
    const there = await this.lookup.versions(link.target, ids, session);
    const taken = link.inverseSingle ? await this.lookup.linked(session, link, ids) : new Set<Id>();
    const willBeThere = (id: Id): boolean => coming.has(id) || (there.has(id) && !going.has(id));
    const given = new Set<Id>();
    const isFree = ({ fields }: Wanted, id: Id): boolean => {
      if (!link.inverseSingle) return true;
      const own = linkedIds(fields[column.key]).includes(id);
      if (given.has(id) || (taken.has(id) && !free.has(id) && !own)) return false;
      given.add(id);
      return true;
    };
    return (row, id) => willBeThere(id) && isFree(row, id);
  }
}

const notPossible = (rowId: Id, { id, key, name }: ColumnSchema): Skipped => ({
  ...{ rowId, column: { id, key, name } },
  code: 'value_not_possible',
});

/** What rows are linked with now and will not be: those that go, and those that were linked with something else. */
const freed = (column: ColumnSchema, wanted: readonly Wanted[], { going }: Moving): ReadonlySet<Id> => {
  const gives = wanted.flatMap(({ values, fields }) => {
    if (!values.has(column)) return [];
    const kept = new Set(linkedIds(values.get(column)));
    return linkedIds(fields[column.key]).filter((id) => !kept.has(id));
  });
  return new Set([...gives, ...[...going.values()].flatMap((fields) => linkedIds(fields[column.key]))]);
};
