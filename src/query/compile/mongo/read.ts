import { COUNT_BOUND, type CountMode } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import type { SourceRead } from '../../source-plan.js';
import type { MongoDocument } from './document.js';
import { formOf, type CellOf, type MongoForm } from './forms.js';
import { behind, orderKeys, sortedBy, type OrderKey } from './order.js';
import { sourceDocuments } from './source.js';

/** A page as MongoDB finds it: documents with the cells `c0`, `c1` … and what they are ordered by, `k0`, `k1` …; one more than the page has. */
export interface MongoPage {
  readonly collection: string;
  readonly pipeline: readonly MongoDocument[];
  readonly cells: readonly MongoOutput[];
  readonly keys: readonly MongoForm[];
  /** How many values a position has; those without a key are null. */
  readonly terms: number;
  /** Gives one document `{n}`, or none where nothing is counted. */
  readonly count?: readonly MongoDocument[];
}

/** Something that comes back under a name of ours. */
export interface MongoOutput {
  readonly name: string;
  readonly column: ColumnSchema;
  readonly form: MongoForm;
}

export function compileMongoRead(plan: SourceRead): MongoPage {
  const { from, select, where, orderBy, after, limit, skip = 0, count } = plan;
  const { stages, cellOf } = sourceDocuments(from, where);
  const keys = keysOf(plan, cellOf);
  const { fields, sort } = sortedBy(keys);
  const cells = select.map((column, i) => ({ name: `c${i}`, column, form: formOf(column) }));
  const shown = Object.fromEntries(cells.map(({ name, column }) => [name, cellOf(column).raw]));
  const project = { $project: { _id: 0, ...shown, ...fields } };
  const behindIt = after ? [{ $match: { $expr: behind(keys, after) } }] : [];
  const page = [...(skip > 0 ? [{ $skip: skip }] : []), { $limit: limit + 1 }];
  // By their ids documents are in order already, so that a page needs to look at no more than its own.
  const ordered = isById(plan)
    ? [{ $sort: { _id: sort.k0 } }, ...page, project]
    : [project, ...(keys.length > 0 ? [{ $sort: sort }] : []), ...page];
  const counted = countStages(count);
  return {
    collection: from.object.physical.table,
    pipeline: [...stages, ...behindIt, ...ordered],
    cells,
    keys: keys.map(({ form }) => form),
    terms: orderBy.length,
    ...(counted ? { count: [...stages, ...counted] } : {}),
  };
}

/** The order is that of MongoDB itself, over ids of whatever types; nothing that follows can change it. */
const isById = ({ from, orderBy }: SourceRead): boolean =>
  from.joins.length === 0 && orderBy[0]?.by.kind === 'column' && orderBy[0].by.column.physical === '_id';

function keysOf(plan: SourceRead, cellOf: CellOf): readonly OrderKey[] {
  const keys = orderKeys(plan.orderBy, cellOf);
  return isById(plan) ? keys.slice(0, 1).map((key) => ({ ...key, value: '$_id' })) : keys;
}

/** An estimate is made by counting, but not further than the bound: MongoDB has none for conditions. */
export function countStages(count: CountMode): readonly MongoDocument[] | undefined {
  switch (count) {
    case 'none':
      return undefined;
    case 'exact':
      return [{ $count: 'n' }];
    case 'bounded':
    case 'estimated':
      return [{ $limit: COUNT_BOUND + 1 }, { $count: 'n' }];
  }
}
