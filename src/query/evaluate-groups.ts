import { must } from '../common/index.js';
import { evaluate, matches, type EvaluatedRow } from './evaluate.js';
import type { Aggregate, Bucket, BucketUnit, GroupKey, GroupPlan } from './group-plan.js';
import { kindOf, valueType } from './kind.js';
import type { CellValue, ColumnSchema, Scalar } from './schema.js';
import { wallClock } from './time-zone.js';
import { identityOf } from './types/index.js';

/** A group in memory: canonical values by the names of groups and aggregates. */
export type EvaluatedGroup = Readonly<Record<string, CellValue>>;

/** What a plan for groups means, without a database: the groups of its page, in order. Every engine must give the same. */
export function evaluateGroups(
  plan: Pick<GroupPlan, 'where' | 'groups' | 'aggregates' | 'having' | 'orderBy' | 'after' | 'limit'>,
  rows: readonly EvaluatedRow[],
): EvaluatedGroup[] {
  const { groups, aggregates, having, orderBy, after, limit } = plan;
  const members = grouped(
    groups,
    rows.filter((row) => matches(plan.where, row)),
  );
  const results = [...members].map(([id, each]) => ({ id, fields: resultOf(groups, aggregates, each) }));
  // Ordered by columns alone: nothing looks at the ids.
  return evaluate({ where: having, orderBy, limit, ...(after ? { after } : {}) }, results).map(({ fields }) => fields);
}

/** Without anything to group by, no rows are a group, too. */
function grouped(
  groups: readonly GroupKey[],
  rows: readonly EvaluatedRow[],
): ReadonlyMap<string, readonly EvaluatedRow[]> {
  const members = new Map<string, EvaluatedRow[]>();
  if (groups.length === 0) members.set('', []);
  for (const row of rows) {
    const id = groups.map((group) => identity(group, groupValue(group, row))).join();
    const known = members.get(id) ?? [];
    members.set(id, [...known, row]);
  }
  return members;
}

/** The same text for values that are equal; what makes them equal is a matter of the kind of values, not of their notation. */
const identity = ({ output }: GroupKey, value: CellValue): string =>
  JSON.stringify(value === null ? null : elements(value).map((each) => identityOf(kindOf(output), each)));

function resultOf(
  groups: readonly GroupKey[],
  aggregates: readonly Aggregate[],
  rows: readonly EvaluatedRow[],
): EvaluatedGroup {
  return Object.fromEntries([
    ...groups.map((group) => [group.output.key, groupValue(group, must(rows[0], 'a group is made by a row'))]),
    ...aggregates.map((each) => [each.output.key, aggregateValue(each, rows)]),
  ]) as EvaluatedGroup;
}

function cellOf({ fields }: EvaluatedRow, { key }: ColumnSchema): CellValue {
  const value = fields[key] ?? null;
  return Array.isArray(value) && value.length === 0 ? null : value;
}

const elements = (value: CellValue): readonly Scalar[] =>
  value === null ? [] : Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar];

function groupValue({ column, bucket }: GroupKey, row: EvaluatedRow): CellValue {
  const value = cellOf(row, column);
  if (value === null || !bucket) return value;
  return kindOf(column).type === 'date'
    ? startOf(bucket.unit, `${String(value)}T00:00:00Z`)
    : bucketStart(bucket, String(value));
}

const HOUR = 3_600_000;

function bucketStart({ unit, zone }: Bucket, instant: string): string {
  const at = new Date(instant);
  const shown = wallClock(at, zone);
  if (unit !== 'hour') return startOf(unit, within(shown, '0001-01-01T00:00:00.000Z', '9999-12-31T00:00:00.000Z'));
  const second = Math.floor(at.getTime() / 1_000) * 1_000;
  const start = second - (((shown % HOUR) + HOUR) % HOUR);
  return within(start, '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z');
}

/** The clock of a zone may show a day before the first that a date can be, or behind the last. */
const within = (at: number, first: string, last: string): string =>
  new Date(Math.min(Math.max(at, Date.parse(first)), Date.parse(last))).toISOString();

/** The first day of the span that a day lies in. */
function startOf(unit: BucketUnit, day: string): string {
  const at = new Date(day);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  const start = new Date(0);
  switch (unit) {
    case 'hour':
    case 'day':
      return day.slice(0, 10);
    case 'week':
      start.setTime(at.getTime() - ((at.getUTCDay() + 6) % 7) * 24 * HOUR);
      break;
    case 'month':
      start.setUTCFullYear(year, month, 1);
      break;
    case 'quarter':
      start.setUTCFullYear(year, month - (month % 3), 1);
      break;
    case 'year':
      start.setUTCFullYear(year, 0, 1);
  }
  return start.toISOString().slice(0, 10);
}

function aggregateValue({ fn, column }: Aggregate, rows: readonly EvaluatedRow[]): CellValue {
  if (!column) return rows.length;
  const cells = rows.map((row) => cellOf(row, column)).filter((cell) => cell !== null);
  const values = cells.flatMap(elements);
  const kind = kindOf(column);
  // As PostgreSQL shows them: of a number without a fixed scale, what it is, not how it was written.
  const shown = (value: Scalar): Scalar =>
    valueType(column).bind === 'numeric' && kind.options.scale === undefined ? identityOf(kind, value) : value;
  const sorted = (): readonly Scalar[] => values.toSorted((a, b) => valueType(column).compare(a, b, kind.options));
  switch (fn) {
    case 'count':
      return cells.length;
    case 'countDistinct':
      return new Set(values.map((each) => identityOf(kind, each))).size;
    case 'min':
      return values.length === 0 ? null : shown(must(sorted()[0], 'there are some'));
    case 'max':
      return values.length === 0 ? null : shown(must(sorted().at(-1), 'there are some'));
    case 'sum': {
      const total = plain(sum(values, kind.options.scale ?? 0));
      if (kind.type !== 'duration') return shown(total);
      return Number.isSafeInteger(Number(total)) ? Number(total) : null;
    }
    case 'avg':
      return values.length === 0 ? null : plain(average(values));
  }
}

/** An exact decimal number: `digits` / 10^`scale`. */
interface Exact {
  readonly digits: bigint;
  readonly scale: number;
}

function exact(value: Scalar): Exact {
  const [whole = '0', fraction = ''] = String(value).split('.');
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

function sum(values: readonly Scalar[], atLeast: number): Exact {
  const all = values.map(exact);
  const scale = Math.max(atLeast, ...all.map((each) => each.scale));
  const digits = all.reduce((total, each) => total + each.digits * 10n ** BigInt(scale - each.scale), 0n);
  return { digits, scale };
}

/** Digits behind the point of an average. */
const AVERAGE_SCALE = 10;

/** Rounded half away from zero. */
function average(values: readonly Scalar[]): Exact {
  const { digits, scale } = sum(values, 0);
  const [above, below] = [digits * 10n ** BigInt(AVERAGE_SCALE), BigInt(values.length) * 10n ** BigInt(scale)];
  return { digits: (2n * above + (above < 0n ? -below : below)) / (2n * below), scale: AVERAGE_SCALE };
}

/** Plain decimal text, with as many digits behind the point as it has places. */
function plain({ digits, scale }: Exact): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const number = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  return digits < 0n ? `-${number}` : number;
}
