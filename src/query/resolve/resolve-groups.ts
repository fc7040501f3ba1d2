import { invalid, pointer, type Problem } from '../../common/index.js';
import {
  AGGREGATE_FUNCTIONS,
  BUCKETS,
  type Aggregate,
  type Bucket,
  type GroupKey,
  type GroupPlan,
} from '../group-plan.js';
import { digest, type CursorCodec, type Edge } from '../keyset.js';
import { clockOfGroups } from '../view/changes-by-time.js';
import { canRollUp, kindOf, rollupKind, valueType } from '../kind.js';
import type { OrderTerm } from '../plan.js';
import { columnByKey, type ColumnSchema, type TableSchema, type ValueKind } from '../schema.js';
import { noField } from './no-field.js';
import { resolveFilter, type FilterContext } from './resolve-filter.js';
import {
  asOfNumber,
  both,
  countMode,
  resolveSortKeys,
  TRUE,
  type ReadRequest,
  type ReadScope,
} from './resolve-read.js';
import type { FilterInput } from '../filter/filter-input.js';

export interface GroupInput {
  readonly field: string;
  readonly bucket?: string;
  /** Name in the answer; the key of the column without it. */
  readonly as?: string;
}

export interface AggregateInput {
  readonly as: string;
  readonly fn: string;
  readonly field?: string;
}

/** Groups of rows as a caller asked for them. */
export interface GroupRequest extends Pick<ReadRequest, 'filter' | 'sort' | 'limit' | 'cursor' | 'count' | 'asOf'> {
  readonly groupBy: readonly GroupInput[];
  readonly aggregates: readonly AggregateInput[];
  readonly having?: FilterInput;
  /** In which days and hours begin. */
  readonly timeZone: string;
}

export const MAX_GROUPS = 5;
export const MAX_AGGREGATES = 20;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * Request → plan, as `resolveRead` does for rows.
 * @throws Problem `filter_invalid`, `sort_invalid`, `validation_failed`, `cursor_invalid`, `cursor_mismatch`
 */
export function resolveGroups(
  request: GroupRequest,
  table: TableSchema,
  scope: ReadScope,
  cursors: CursorCodec,
  context: FilterContext,
): ResolvedGroups {
  const { groups, aggregates } = new OutputResolver(table, request.timeZone).resolve(request);
  // The groups as a table, so that names, types and operators of its columns are judged as those of any other.
  const result: TableSchema = {
    ...table,
    columns: [...groups, ...aggregates].map(({ output }) => output),
    names: namesOf(request.groupBy, groups),
  };
  const where = both(scope.where, request.filter ? resolveFilter(request.filter, table, context) : TRUE);
  const having = request.having ? resolveFilter(request.having, result, context) : TRUE;
  const orderBy = withTies(resolveSortKeys(request.sort, result), groups);
  const asOf = asOfNumber(request);
  const query = fingerprint(request, table, groups, aggregates, orderBy);
  return {
    query,
    plan: {
      from: table,
      where,
      ...asOf,
      groups,
      aggregates,
      having,
      orderBy,
      ...clockOfGroups({ groups, aggregates }, context.now),
      ...(request.cursor === undefined ? {} : behind(cursors.openEdge(query, request.cursor))),
      limit: request.limit,
      count: countMode(request.count, [table], where),
    },
  };
}

/** Where groups behind a page begin, and what they take for now. Groups are paged in one direction. */
export const behind = ({ position, clock }: Edge): Pick<GroupPlan, 'after' | 'clock'> => ({
  after: position,
  ...(clock ? { clock } : {}),
});

/** Groups also go by the names of what they are made of, and no other column of the rows by any: what is not grouped by has no value in a group. */
function namesOf(asked: readonly GroupInput[], groups: readonly GroupKey[]): ReadonlyMap<string, ColumnSchema> {
  const isOne = (field: string): boolean => asked.filter((each) => each.field === field).length === 1;
  return new Map(
    groups.flatMap(({ output: made }, i) => {
      const field = asked[i]?.field;
      return field !== undefined && isOne(field) ? [[field, made] as const] : [];
    }),
  );
}

export interface ResolvedGroups {
  readonly plan: GroupPlan;
  /** Fingerprint that the cursors of this query carry. */
  readonly query: string;
}

/** Groups that are equal by the keys asked for follow each other by all that makes them different, in the direction of the last key. */
function withTies(terms: readonly OrderTerm[], groups: readonly GroupKey[]): readonly OrderTerm[] {
  const asked = new Set(terms.map(({ by }) => (by.kind === 'column' ? by.column : undefined)));
  const dir = terms.at(-1)?.dir ?? 'asc';
  const ties = groups.filter(({ output }) => !asked.has(output));
  return [...terms, ...ties.map(({ output }): OrderTerm => ({ by: { kind: 'column', column: output }, dir }))];
}

function fingerprint(
  { filter, having, timeZone, asOf }: GroupRequest,
  table: TableSchema,
  groups: readonly GroupKey[],
  aggregates: readonly Aggregate[],
  orderBy: readonly OrderTerm[],
): string {
  return digest([
    'groups',
    table.id,
    filter ?? null,
    groups.map(({ column, bucket, output }) => [output.key, column.id, bucket?.unit ?? null]),
    aggregates.map(({ fn, column, output }) => [output.key, fn, column?.id ?? null]),
    having ?? null,
    timeZone,
    orderBy.map(({ by, dir }) => [by.kind === 'column' ? by.column.key : '', dir]),
    ...(asOf === undefined ? [] : [{ asOf }]),
  ]);
}

const refuse = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);

/** Gives every group and aggregate its column, its kind of values and its name; the names are one namespace. */
class OutputResolver {
  private readonly names = new Set<string>();

  constructor(
    private readonly table: TableSchema,
    private readonly zone: string,
  ) {}

  resolve({ groupBy, aggregates }: GroupRequest): Pick<GroupPlan, 'groups' | 'aggregates'> {
    if (groupBy.length + aggregates.length === 0)
      throw refuse('/groupBy', 'nothing_asked', 'Groups need groupBy, aggregates, or both.');
    atMost(MAX_GROUPS, groupBy, '/groupBy');
    atMost(MAX_AGGREGATES, aggregates, '/aggregates');
    return {
      groups: groupBy.map((input, i) => this.group(input, `g${i}`, `/groupBy${pointer(i)}`)),
      aggregates: aggregates.map((input, i) => this.aggregate(input, `a${i}`, `/aggregates${pointer(i)}`)),
    };
  }

  private group({ field, bucket: unit, as }: GroupInput, physical: string, at: string): GroupKey {
    const column = this.column(field, at);
    if (valueType(column).sortable === false)
      throw refuse(`${at}/field`, 'not_groupable', `Rows cannot be grouped by ${column.key} (${column.type}).`);
    const bucket = unit === undefined ? undefined : this.bucket(unit, column, `${at}/bucket`);
    const name = as === undefined ? this.claim(column.key, `${at}/field`) : this.name(as, `${at}/as`);
    const holds = bucket ? bucketKind(bucket) : kindOf(column);
    return { column, ...(bucket ? { bucket } : {}), output: output(name, physical, holds) };
  }

  private bucket(given: string, column: ColumnSchema, at: string): Bucket {
    const unit = BUCKETS.find((known) => known === given);
    if (!unit) throw refuse(at, 'unknown_bucket', `bucket is one of ${BUCKETS.join(', ')}.`);
    const { type, list } = kindOf(column);
    if (list || (type !== 'datetime' && (type !== 'date' || unit === 'hour')))
      throw refuse(at, 'bucket_not_allowed', `${column.key} (${column.type}) has no ${unit}s.`);
    return { unit, zone: this.zone };
  }

  private aggregate({ as, fn: given, field }: AggregateInput, physical: string, at: string): Aggregate {
    const fn = AGGREGATE_FUNCTIONS.find((known) => known === given);
    if (!fn) throw refuse(`${at}/fn`, 'unknown_function', `fn is one of ${AGGREGATE_FUNCTIONS.join(', ')}.`);
    const name = this.name(as, `${at}/as`);
    if (field === undefined) {
      if (fn !== 'count') throw refuse(`${at}/field`, 'field_missing', `${fn} needs "field", the key of a column.`);
      return { fn, output: output(name, physical, COUNT) };
    }
    const column = this.column(field, at);
    if (!canRollUp(kindOf(column), fn))
      throw refuse(`${at}/fn`, 'not_applicable', `${fn} cannot be taken of ${column.key} (${column.type}).`);
    return { fn, column, output: output(name, physical, rollupKind({ column, fn })) };
  }

  private column(field: string, at: string): ColumnSchema {
    const column = columnByKey(this.table, field);
    if (!column) throw refuse(`${at}/field`, ...noField(this.table, field));
    return column;
  }

  private name(as: string, at: string): string {
    if (!NAME.test(as))
      throw refuse(at, 'invalid_name', 'A name has 1 to 64 letters, digits and underscores, and no digit in front.');
    return this.claim(as, at);
  }

  private claim(name: string, at: string): string {
    if (this.names.has(name)) throw refuse(at, 'duplicate_key', `${name} occurs twice; "as" gives another name.`);
    this.names.add(name);
    return name;
  }
}

function atMost(limit: number, list: readonly unknown[], at: string): void {
  if (list.length > limit) throw refuse(at, 'too_many', `At most ${limit} are allowed.`);
}

const COUNT: ValueKind = { type: 'integer', options: {}, list: false };

const bucketKind = ({ unit }: Bucket): ValueKind => ({
  type: unit === 'hour' ? 'datetime' : 'date',
  options: {},
  list: false,
});

/** A column of the groups. */
const output = (key: string, physical: string, holds: ValueKind): ColumnSchema => ({
  id: key,
  key,
  name: key,
  type: holds.type,
  options: holds.options,
  required: false,
  unique: false,
  default: null,
  physical,
  holds,
});
