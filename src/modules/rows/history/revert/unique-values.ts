import { Injectable } from '@nestjs/common';
import type { Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { MiniDbLookup } from '../../../../engines/index.js';
import { isStored, isWritable, type CellValue, type ColumnSchema, type TableSchema } from '../../../../query/index.js';
import { canonical } from '../../write/settle.js';
import type { Wanted } from './possible-values.js';
import { contest, type Ask, type Contestant, type Settled, type UniqueKey } from './unique-contest.js';
import type { Skipped } from './undo.js';

type Values = ReadonlyMap<ColumnSchema, CellValue>;

/** Rows of a table that change, and what of it there can be where values are unique. */
export interface Unrivalled {
  readonly wanted: readonly Wanted[];
  /** What rows that come back have from the start. */
  readonly withThem: ReadonlyMap<Id, Values>;
  /** Rows that cannot come back. */
  readonly staying: ReadonlySet<Id>;
  /** Rows that hold what others get. */
  readonly giving: ReadonlySet<Id>;
  readonly skipped: readonly Skipped[];
}

/** Leaves out of values from the past those that are unique and that another row has by now, or gets by the same act. */
@Injectable()
export class UniqueValues {
  constructor(private readonly lookup: MiniDbLookup) {}

  /** `seen` is the table as the caller sees it: columns that he does not see are not named. The rows have to be locked. */
  async of(
    session: PgSession,
    seen: TableSchema,
    table: TableSchema,
    wanted: readonly Wanted[],
    coming: ReadonlySet<Id>,
    going: ReadonlySet<Id>,
  ): Promise<Unrivalled> {
    const keys = await this.keys(session, table);
    const unique = new Set(keys.flatMap(({ columns }) => columns));
    const rivals = wanted.filter(
      ({ id, values }) => coming.has(id) || [...values.keys()].some((key) => unique.has(key)),
    );
    const required = table.columns.filter((column) => column.required && isStored(column));
    const contestants = await this.contestants(session, table, rivals, coming, [...new Set([...unique, ...required])]);
    const demands = { keys, required, canBeEmpty: emptiable(seen) };
    const settled = await contest(demands, contestants, this.among(session, table, contestants, going));
    return {
      wanted: withValues(wanted, settled),
      withThem: new Map(settled.flatMap(({ id, withIt }) => (withIt.size === 0 ? [] : [[id, withIt]]))),
      staying: new Set(settled.flatMap(({ id, staysFor }) => (staysFor ? [id] : []))),
      giving: new Set(settled.flatMap(({ id, gives }) => (gives ? [id] : []))),
      skipped: settled.flatMap((each) => told(each, seen)),
    };
  }

  private async keys(session: PgSession, table: TableSchema): Promise<readonly UniqueKey[]> {
    const indexes = await this.lookup.indexKeys(table, session);
    return [
      ...table.columns.flatMap((column) => (column.unique ? [{ columns: [column], comparing: 'as unique columns' } as const] : [])), // prettier-ignore
      ...indexes.flatMap(({ unique, columns }) => (unique ? [{ columns, comparing: 'as they are' } as const] : [])),
    ];
  }

  private async contestants(
    session: PgSession,
    table: TableSchema,
    rivals: readonly Wanted[],
    coming: ReadonlySet<Id>,
    columns: readonly ColumnSchema[],
  ): Promise<readonly Contestant[]> {
    if (rivals.length === 0) return [];
    const [live, trashed] = [rivals.filter(({ id }) => !coming.has(id)), rivals.filter(({ id }) => coming.has(id))];
    const there = await this.lookup.cells(table, live.map(({ id }) => id), columns, session); // prettier-ignore
    // What the log says of a row that was deleted may be of columns of then.
    const gone = await this.lookup.cellsInTrash(session, table, trashed.map(({ id }) => id), columns); // prettier-ignore
    return rivals.map(({ id, values }) => {
      const fields = there.get(id)?.fields ?? gone.get(id) ?? {};
      return { id, comes: coming.has(id), values, held: (column) => canonical(fields[column.key], column) };
    });
  }

  private among(
    session: PgSession,
    table: TableSchema,
    contestants: readonly Contestant[],
    going: ReadonlySet<Id>,
  ): Ask {
    const own = new Set(contestants.map(({ id }) => id));
    return async ({ columns, comparing }, tuples) => {
      const records = tuples.map((values, o) => ({ o, values }));
      const holders = await this.lookup.matches(table, columns, records, session, comparing);
      return tuples.map((_, o) => (holders.get(o) ?? []).some((id) => !own.has(id) && !going.has(id)));
    };
  }
}

/** Not what the caller does not see, or must not change. */
function emptiable(seen: TableSchema): (column: ColumnSchema) => boolean {
  const may = new Set(seen.columns.flatMap((column) => (isWritable(column) && !column.required ? [column.id] : [])));
  return ({ id }) => may.has(id);
}

function withValues(wanted: readonly Wanted[], settled: readonly Settled[]): readonly Wanted[] {
  const byRow = new Map(settled.map((each) => [each.id, each]));
  return wanted.flatMap((each) => {
    const own = byRow.get(each.id);
    if (own?.staysFor) return [];
    return [own ? { ...each, values: own.values } : each];
  });
}

function told({ id: rowId, lost, lostFor, staysFor }: Settled, seen: TableSchema): readonly Skipped[] {
  const ids = new Set(seen.columns.map(({ id }) => id));
  const together = (columns: readonly ColumnSchema[]): Pick<Skipped, 'together'> =>
    columns.length < 2 ? {} : { together: columns.every(({ id }) => ids.has(id)) ? columns.map(({ key }) => key) : [] };
  const shown = ({ id, key, name }: ColumnSchema): Pick<Skipped, 'column'>[] =>
    ids.has(id) ? [{ column: { id, key, name } }] : [];
  if (!staysFor)
    return lost.flatMap((one) =>
      shown(one).map((column) => ({ rowId, ...column, code: 'value_taken', ...together(lostFor.get(one) ?? []) })),
    );
  const { code } = staysFor;
  const columns = staysFor.columns.flatMap(shown);
  const shared = code === 'row_value_taken' ? together(staysFor.columns) : {};
  return (columns.length === 0 ? [{}] : columns).map((column) => ({ rowId, ...column, code, ...shared }));
}
