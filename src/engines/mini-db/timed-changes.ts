import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow } from '../../database/mini/index.js';
import { ident, integer, join, sql, toStatement, value, type Sql } from '../../query/index.js';
import { CHANGE, toChange, type Change } from './change-log.js';
import type { LogLimits, LogPlace } from './history-log.js';
import { pgError } from './pg-errors.js';

/** A change of a row, told beside those of other tables. */
export interface TimedChange extends Change {
  readonly tableId: Id;
  readonly rowId: Id;
  /** Address that it was made from; null where it was not kept yet. */
  readonly ip: string | null;
}

/** Which changes of rows; what is given is ANDed. `from` is included, `to` is not. */
export interface TimedFilter {
  readonly op?: Change['op'];
  readonly rowId?: Id | undefined;
  readonly actorId?: Id | undefined;
  readonly changeSet?: Id | undefined;
  readonly requestId?: string | undefined;
  readonly ip?: string | undefined;
  /** RFC 3339. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Where the changes begin: behind a change, or with all that were made at a time. */
export interface TimedPlace {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly change?: LogPlace & { readonly tableId: Id };
}

export interface TimedPart {
  readonly entries: readonly TimedChange[];
  readonly more: boolean;
}

/** What a change was and became is told up to here; beyond it only how much it was. */
const MAX_BYTES = 64 * 1024;

/** Reads the changes of rows of many bases by time: for those who ask what happened in a workspace. */
@Injectable()
export class TimedChanges {
  constructor(private readonly database: MiniDatabase) {}

  /** The newest first, of all tables of these bases, in one statement; one at least, however large it is. Bases that are gone are left out. */
  async newest(
    schemas: readonly string[],
    filter: TimedFilter,
    limits: LogLimits,
    behind?: TimedPlace,
  ): Promise<TimedPart> {
    if (schemas.length === 0) return { entries: [], more: false };
    try {
      const rows = await this.database.query(toStatement(newestChanges(schemas, filter, limits, behind)));
      return { entries: rows.map(toTimedChange), more: rows.length < Number(rows[0]?.at(-1) ?? 0) };
    } catch (error) {
      // undefined_table: a base was purged after its name was read.
      if (pgError(error)?.code !== '42P01') throw error;
      const left = await this.thereOf(schemas);
      if (left.length === schemas.length) throw error;
      return this.newest(left, filter, limits, behind);
    }
  }

  private async thereOf(schemas: readonly string[]): Promise<string[]> {
    const rows = await this.database.query(
      toStatement(
        sql`select s from unnest(${value([...schemas], 'text[]')}) s where to_regclass(format('%I._change', s)) is not null`,
      ),
    );
    return rows.map(([schema]) => String(schema));
  }
}

const ORDER = sql`at desc, table_id desc, seq desc, ord desc`;

/** Rows: the parts of {@link CHANGE}, table, address, and how many there are in all within the limits and one beyond. */
export function newestChanges(
  schemas: readonly string[],
  filter: TimedFilter,
  { entries, bytes }: LogLimits,
  behind?: TimedPlace,
): Sql {
  const where = conditions(filter, behind);
  const each = schemas.map(
    (schema) =>
      sql`(select * from ${ident(schema, '_change')} where ${where} order by ${ORDER} limit ${integer(entries + 1)})`,
  );
  // Columns by name: bases that are older have them in another order.
  const names = sql`table_id, seq, ord, row_id, version, op, at, actor_id, actor_name, client_id, source, request_id, change_set, revert_of, schema_version, ip`;
  return sql`select ${CHANGE}, table_id, ip, n from (
  select *, count(*) over () as n, row_number() over w as nr, sum(coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0)) over w as size
  from (select * from (${join(
    each.map((part) => sql`select ${names}, ${bounded('before')}, ${bounded('after')} from ${part} base`),
    sql` union all `,
  )}) bases order by ${ORDER} limit ${integer(entries + 1)}) found
  window w as (order by ${ORDER} rows unbounded preceding)) sized
where nr = 1 or (nr <= ${integer(entries)} and size <= ${value(bytes, 'bigint')}) order by ${ORDER}`;
}

const bounded = (name: 'before' | 'after'): Sql => {
  const column = ident(name);
  const size = sql`octet_length(${column}::text)`;
  return sql`case when ${size} > ${integer(MAX_BYTES)} then json_build_object('omitted', 'too_large', 'bytes', ${size}) else ${column} end as ${column}`;
};

function conditions(filter: TimedFilter, behind: TimedPlace | undefined): Sql {
  const { op, rowId, actorId, changeSet, requestId, ip, from, to } = filter;
  const parts = [
    op === undefined ? sql`op <> 'schema'` : sql`op = ${value(op, 'text')}`,
    ...(rowId === undefined ? [] : [sql`row_id = ${value(rowId, 'uuid')}`]),
    ...(actorId === undefined ? [] : [sql`actor_id = ${value(actorId, 'uuid')}`]),
    ...(changeSet === undefined ? [] : [sql`change_set = ${value(changeSet, 'uuid')}`]),
    ...(requestId === undefined ? [] : [sql`request_id = ${value(requestId, 'text')}`]),
    ...(ip === undefined ? [] : [sql`ip = ${value(ip, 'text')}`]),
    ...(from === undefined ? [] : [sql`at >= ${value(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [sql`at < ${value(to, 'timestamptz')}`]),
    ...(behind === undefined ? [] : [position(behind)]),
  ];
  return join(parts, sql` and `);
}

/** The first part is what the index in order of time can begin at. */
function position({ at, change }: TimedPlace): Sql {
  const until = sql`at <= ${value(at, 'timestamptz')}`;
  if (!change) return until;
  const { tableId, seq, ord } = change;
  return sql`${until} and (at, table_id, seq, ord) < (${value(at, 'timestamptz')}, ${value(tableId, 'uuid')}, ${value(seq, 'bigint')}, ${value(ord, 'integer')})`;
}

const toTimedChange = (row: PgRow): TimedChange => {
  const [tableId, ip] = row.slice(-3);
  const change = toChange(row);
  return { ...change, rowId: String(change.rowId), tableId: String(tableId), ip: ip ?? null };
};
