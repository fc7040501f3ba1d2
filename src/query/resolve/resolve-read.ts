import { Problem } from '../../common/index.js';
import { fingerprint, type CursorCodec, type Edge } from '../keyset.js';
import type { Condition, CountMode, OrderTerm, ReadPlan } from '../plan.js';
import { valueType } from '../kind.js';
import { columnByKey, type ColumnSchema, type TableSchema } from '../schema.js';
import type { FilterInput } from '../filter/filter-input.js';
import { tablesInCondition } from '../compile/read.js';
import { clockOf } from '../view/changes-by-time.js';
import { noField } from './no-field.js';
import type { AsOf } from './resolve-as-of.js';
import { resolveExpand } from './resolve-expand.js';
import { resolveSearch } from './resolve-search.js';
import { resolveFilter, type FilterContext } from './resolve-filter.js';

export interface SortInput {
  readonly field: string;
  readonly dir: 'asc' | 'desc';
}

/** A page of rows as a caller asked for it, in either form (URL or body). */
export interface ReadRequest {
  readonly fields?: readonly string[];
  readonly filter?: FilterInput;
  /** Words that have to be found in texts of the row. */
  readonly search?: string;
  /** Keys of links whose rows are to be named. */
  readonly expand?: readonly string[];
  readonly trashed?: boolean;
  /** The moment that the table is asked for; one in time has to be made a number before (PastTables). */
  readonly asOf?: AsOf;
  /** Time zone (IANA) that days are meant in, where it is another than the workspace's. */
  readonly tz?: string;
  readonly sort: readonly SortInput[];
  readonly limit: number;
  readonly cursor?: string;
  readonly count: CountMode;
}

/** What the caller may see at all; ANDed into every plan. */
export interface ReadScope {
  readonly where: Condition;
}

export const MAX_SORT_KEYS = 5;

/**
 * Request → plan: names become columns, values become typed, rights are ANDed in. Pure; the one door to data.
 * @throws Problem `filter_invalid`, `sort_invalid`, `validation_failed`, `cursor_invalid`, `cursor_mismatch`
 */
export function resolveRead(
  request: ReadRequest,
  table: TableSchema,
  scope: ReadScope,
  cursors: CursorCodec,
  context: FilterContext,
): ResolvedRead {
  const orderBy = resolveSort(request.sort, table);
  const { trashed = false, tz, search } = request;
  const zoned = tz === undefined ? context : { ...context, zone: tz };
  const own = request.filter ? resolveFilter(request.filter, table, zoned) : TRUE;
  const asOf = asOfNumber(request);
  const query = fingerprint(table, request.filter, orderBy, {
    ...(trashed ? { trashed } : {}),
    ...(tz === undefined ? {} : { tz }),
    ...(search === undefined ? {} : { search }),
    ...asOf,
  });
  const found = search === undefined ? own : both(own, resolveSearch(search, table));
  const where = both(scope.where, found);
  return {
    query,
    plan: {
      from: table,
      select: resolveFields(request.fields, table),
      ...(request.expand === undefined ? {} : { expand: resolveExpand(request.expand, table) }),
      where,
      ...(trashed ? { trashed } : {}),
      ...asOf,
      orderBy,
      ...clockOf(orderBy, context.now),
      ...(request.cursor === undefined ? {} : edge(cursors.openEdge(query, request.cursor))),
      limit: request.limit,
      count: countMode(request.count, [table], where),
    },
  };
}

/** Estimates go by statistics of all rows, so whoever sees part of a table would be told something of the others: for him is counted up to a bound. */
export const countMode = (asked: CountMode, tables: readonly TableSchema[], where: Condition): CountMode =>
  asked === 'estimated' && asksOfPart(tables, where) ? 'bounded' : asked;

/** Whether which rows there are depends on a table that is seen in part: one of these, or one behind links. */
export const asksOfPart = (tables: readonly TableSchema[], where: Condition): boolean =>
  [...tables, ...tablesInCondition(where)].some(({ seen }) => seen !== undefined);

/** The number of the log that a plan is behind, as a member of it. */
export const asOfNumber = ({ asOf }: Pick<ReadRequest, 'asOf'>): Pick<ReadPlan, 'asOf'> =>
  asOf && 'seq' in asOf ? { asOf: asOf.seq } : {};

export const edge = ({ position, way, clock }: Edge): Pick<ReadPlan, 'after' | 'way' | 'clock'> => ({
  after: position,
  ...(way === 'after' ? {} : { way }),
  ...(clock ? { clock } : {}),
});

export interface ResolvedRead {
  readonly plan: ReadPlan;
  /** Fingerprint that the cursors of this query carry. */
  readonly query: string;
}

export const TRUE: Condition = { kind: 'true' };

/**
 * All rows that the table of a plan has for whoever asks; what he does not see of it the schema leaves out. One object for all requests: what is
 * asked of rows is compared by it.
 */
export const EVERY_ROW: ReadScope = { where: TRUE };

/** Both conditions at once. */
export function both(a: Condition, b: Condition): Condition {
  if (a.kind === 'true') return b;
  if (b.kind === 'true') return a;
  return { kind: 'and', items: [a, b] };
}

/** Which columns go out; all of them when none is named. */
export function resolveFields(fields: readonly string[] | undefined, table: TableSchema): readonly ColumnSchema[] {
  if (fields === undefined) return table.columns;
  const unknown = fields.find((key) => !columnByKey(table, key));
  if (unknown !== undefined) throw refuse('validation_failed', '/fields', ...noField(table, unknown));
  const wanted = new Set(fields.map((key) => columnByKey(table, key)));
  return table.columns.filter((column) => wanted.has(column));
}

function resolveSort(sort: readonly SortInput[], table: TableSchema): readonly OrderTerm[] {
  const terms = resolveSortKeys(sort, table);
  return [...terms, { by: { kind: 'id' }, dir: terms.at(-1)?.dir ?? 'asc' }];
}

/** The keys that were asked for; what breaks their ties is the caller's to add. */
export function resolveSortKeys(sort: readonly SortInput[], table: TableSchema): readonly OrderTerm[] {
  if (sort.length > MAX_SORT_KEYS)
    throw refuse('sort_invalid', '/sort', 'too_many_keys', `At most ${MAX_SORT_KEYS} sort keys are allowed.`);
  const seen = new Set<string>();
  return sort.map(({ field, dir }, i): OrderTerm => {
    const column = columnByKey(table, field);
    if (!column) throw refuse('sort_invalid', `/sort/${i}`, ...noField(table, field));
    if (valueType(column).sortable === false)
      throw refuse('sort_invalid', `/sort/${i}`, 'not_sortable', `Rows cannot be sorted by ${field} (${column.type}).`);
    if (seen.has(field)) throw refuse('sort_invalid', `/sort/${i}`, 'duplicate_key', `${field} occurs twice.`);
    seen.add(field);
    return { by: { kind: 'column', column }, dir };
  });
}

const refuse = (
  problem: 'sort_invalid' | 'validation_failed',
  pointer: string,
  code: string,
  detail: string,
): Problem => new Problem(problem, { detail, errors: [{ pointer, code, detail }] });
