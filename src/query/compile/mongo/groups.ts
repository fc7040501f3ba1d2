import { must } from '../../../common/index.js';
import type { Aggregate, Bucket, GroupKey } from '../../group-plan.js';
import type { ColumnSchema } from '../../schema.js';
import type { SourceGroups } from '../../source-plan.js';
import { compileCondition } from './condition.js';
import { Bound, literal, type MongoDocument, type MongoExpression } from './document.js';
import { decimalCell, madeCell, orderValue, type CellOf, type MongoCell, type MongoForm } from './forms.js';
import { behind, orderKeys, sortedBy } from './order.js';
import { countStages, type MongoOutput } from './read.js';
import { sourceDocuments } from './source.js';

/** A page of groups: documents with groups `g0` …, aggregates `a0` … and what they are ordered by, `k0` …; one more than the page has. */
export interface MongoGroupPage {
  readonly collection: string;
  readonly pipeline: readonly MongoDocument[];
  readonly groups: readonly MongoOutput[];
  readonly values: readonly MongoOutput[];
  readonly keys: readonly MongoForm[];
  readonly count?: readonly MongoDocument[];
}

export function compileMongoGroups(plan: SourceGroups): MongoGroupPage {
  const { from, where, having, orderBy, after, limit, count } = plan;
  const { stages, cellOf } = sourceDocuments(from, where);
  const groups = plan.groups.map((group, i) => groupOf(group, `g${i}`, cellOf));
  const values = plan.aggregates.map((aggregate, i) => aggregateOf(aggregate, i, cellOf));
  const outputs = new Map<ColumnSchema, MongoOutput>([...groups, ...values].map((each) => [each.column, each]));
  const outputOf: CellOf = (column) => {
    const { name, form } = must(outputs.get(column), 'a group is asked for its own columns');
    return madeCell(name, form);
  };
  const kept = having.kind === 'true' ? [] : [{ $match: { $expr: compileCondition(having, outputOf) } }];
  const all = [...stages, ...grouped(groups, values), ...kept];
  const keys = orderKeys(orderBy, outputOf);
  const { fields, sort } = sortedBy(keys);
  const counted = countStages(count);
  return {
    collection: from.object.physical.table,
    pipeline: [
      ...all,
      ...(after ? [{ $match: { $expr: behind(keys, after) } }] : []),
      ...(keys.length > 0 ? [{ $set: fields }, { $sort: sort }] : []),
      { $limit: limit + 1 },
    ],
    groups,
    values,
    keys: keys.map(({ form }) => form),
    ...(counted ? { count: [...all, ...counted] } : {}),
  };
}

interface GroupOutput extends MongoOutput {
  readonly value: MongoExpression;
}

interface AggregateOutput extends MongoOutput {
  readonly accumulators: MongoDocument;
  /** The value, of what was gathered. */
  readonly value: MongoExpression;
}

/** One document for each group. Without anything to group by there is one group, also of no documents. */
function grouped(groups: readonly GroupOutput[], values: readonly AggregateOutput[]): readonly MongoDocument[] {
  const id = Object.fromEntries(groups.map(({ name, value }) => [name, value]));
  const gathered = Object.assign({}, ...values.map(({ accumulators }) => accumulators)) as MongoDocument;
  const group = { $group: { _id: groups.length === 0 ? null : id, ...gathered } };
  const shown = {
    $project: Object.fromEntries<unknown>([
      ['_id', 0],
      ...groups.map(({ name }) => [name, `$_id.${name}`] as const),
      ...values.map(({ name, value }) => [name, value] as const),
    ]),
  };
  if (groups.length > 0) return [group, shown];
  const first = { $ifNull: [{ $arrayElemAt: ['$groups', 0] }, literal(NOTHING(values))] };
  return [{ $facet: { groups: [group] } }, { $replaceWith: first }, shown];
}

/** What is gathered of no documents. */
const NOTHING = (values: readonly AggregateOutput[]): MongoDocument =>
  Object.fromEntries(
    values
      .flatMap(({ accumulators }) => Object.entries(accumulators))
      .map(([name, accumulator]) => [name, NONE[Object.keys(accumulator as MongoDocument)[0] ?? '']]),
  );
const NONE: Readonly<Record<string, unknown>> = { $sum: new Bound('int', '0'), $min: null, $max: null, $addToSet: [] };

function groupOf({ column, bucket, output }: GroupKey, name: string, cellOf: CellOf): GroupOutput {
  const cell = cellOf(column);
  if (bucket)
    return { name, column: output, form: bucket.unit === 'hour' ? 'date' : 'string', value: bucketStart(cell, bucket) };
  return { name, column: output, form: made(cell.form), value: orderValue(cell) };
}

/** What is made of numbers of several types is a decimal. */
const made = (form: MongoForm): MongoForm => (form === 'number' ? 'decimal' : form);

const instant = (text: string): MongoExpression => literal(new Bound('date', text));
const [FIRST, LAST] = ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'];
/** Behind it the clocks of other zones may show a year that MongoDB cannot write. */
const LAST_ANYWHERE = '9999-12-31T09:59:59.999Z';

/** Days are texts, as they are shown; in some zones one begins at another hour than midnight. */
function bucketStart({ value, present }: MongoCell, { unit, zone }: Bucket): MongoExpression {
  const timezone = literal(zone);
  const within = (last: string): MongoExpression => ({ $min: [{ $max: [value, instant(FIRST)] }, instant(last)] });
  return { $cond: [present, unit === 'hour' ? hour(within(LAST), timezone) : day(), null] };

  function day(): MongoExpression {
    const date = within(zone === 'UTC' ? LAST : LAST_ANYWHERE);
    const start = { $dateTrunc: { date, unit, timezone, startOfWeek: 'monday' } };
    const text = { $dateToString: { date: unit === 'day' ? date : start, format: '%Y-%m-%d', timezone } };
    return { $max: [text, literal('0001-01-01')] };
  }
}

/** The clock of the zone says how much of its hour is over: where it is put back by half an hour, no count of hours does. */
function hour(date: MongoExpression, timezone: MongoExpression): MongoExpression {
  const part = (name: string): MongoExpression => ({ [name]: { date: '$$at', timezone } });
  const over = {
    $add: [{ $multiply: [part('$minute'), 60_000] }, { $multiply: [part('$second'), 1000] }, part('$millisecond')],
  };
  const start = { $max: [{ $subtract: ['$$at', over] }, instant(FIRST)] };
  return { $let: { vars: { at: date }, in: start } };
}

function aggregateOf({ fn, column, output }: Aggregate, i: number, cellOf: CellOf): AggregateOutput {
  const name = `a${i}`;
  const result = (form: MongoForm, accumulator: MongoDocument, value: MongoExpression = `$${name}`): AggregateOutput => ({
    name, column: output, form, accumulators: { [name]: accumulator }, value,
  }); // prettier-ignore
  if (!column) return result('long', { $sum: 1 });
  const cell = cellOf(column);
  const counted = { $sum: { $cond: [cell.present, 1, 0] } };
  switch (fn) {
    case 'count':
      return result('long', counted);
    case 'countDistinct':
      return result('long', { $addToSet: orderValue(cell) }, { $size: { $setDifference: [`$${name}`, [null]] } });
    case 'min':
      return result(made(cell.form), { $min: orderValue(cell) });
    case 'max':
      return result(made(cell.form), { $max: orderValue(cell) });
    case 'sum':
      return result('decimal', { $sum: decimalCell(cell) });
    case 'avg': {
      const { accumulators, ...average } = result(
        'decimal',
        { $sum: decimalCell(cell) },
        averageOf(`$${name}`, `$n${i}`),
      );
      return { ...average, accumulators: { ...accumulators, [`n${i}`]: counted } };
    }
  }
}

/** To ten digits behind the point, half away from zero; MongoDB itself rounds half to even. */
function averageOf(sum: MongoExpression, n: MongoExpression): MongoExpression {
  const scale = literal(new Bound('decimal', '1E10'));
  const half = literal(new Bound('decimal', '0.5'));
  const size = { $divide: [{ $trunc: [{ $add: [{ $multiply: [{ $abs: '$$q' }, scale] }, half] }] }, scale] };
  const rounded = { $cond: [{ $lt: ['$$q', 0] }, { $multiply: [size, -1] }, size] };
  return { $cond: [{ $eq: [n, 0] }, null, { $let: { vars: { q: { $divide: [sum, n] } }, in: rounded } }] };
}
