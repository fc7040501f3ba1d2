import { must } from '../../../common/index.js';
import { isMade, type MadeColumn, type ObjectColumn, type ObjectJoin, type ObjectSource } from '../../object-schema.js';
import { mongoFormula } from '../formula/mongo.js';
import type { Condition } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import { compileCondition } from './condition.js';
import { all, type MongoDocument } from './document.js';
import { comparable, documentCell, type CellOf, type MongoCell } from './forms.js';
import { prefilters } from './prefilter.js';

/** The documents that a plan asks about, and what its columns are in them. */
export interface SourceDocuments {
  readonly stages: readonly MongoDocument[];
  readonly cellOf: CellOf;
}

/** The documents of a source that satisfy a condition; those of several collections side by side, each in a field of its own. */
export function sourceDocuments(from: ObjectSource, where: Condition): SourceDocuments {
  const cellOf = cellsOf(from);
  const own = prefilters(where, (column) => !isMade(column) && aliasOf(column) === from.alias);
  const condition = where.kind === 'true' ? [] : [{ $expr: compileCondition(where, cellOf) }];
  if (from.joins.length === 0) return { stages: match([...own, ...condition]), cellOf };
  return { stages: [...match(own), { $replaceWith: { s0: '$$ROOT' } }, ...from.joins.flatMap((join, i) => joined(join, i, cellOf)), ...match(condition)], cellOf }; // prettier-ignore
}

const match = (filters: readonly MongoDocument[]): readonly MongoDocument[] =>
  filters.length === 0 ? [] : [{ $match: filters.length === 1 ? filters[0] : { $and: filters } }];

const aliasOf = (column: ColumnSchema): string => (column as ObjectColumn).alias;

function cellsOf({ alias, joins }: ObjectSource): CellOf {
  if (joins.length === 0) return computing((column) => documentCell(column));
  const slots = new Map([alias, ...joins.map((join) => join.alias)].map((each, i) => [each, `s${i}.`]));
  return computing((column) =>
    documentCell(column, must(slots.get(aliasOf(column)), 'a column is of one of the joined objects')),
  );
}

/** Columns that formulas make, of the cells that they read. */
function computing(stored: CellOf): CellOf {
  const cellOf: CellOf = (column) =>
    isMade(column)
      ? must(madeCellOf(column, cellOf), 'a formula that the database is known to compute')
      : stored(column);
  return cellOf;
}

const madeCellOf = ({ made, reads }: MadeColumn, cellOf: CellOf): MongoCell | undefined =>
  mongoFormula(made, (column) => cellOf(must(reads.get(column), 'a column that the formula reads')));

/** Whether pipelines can compute the column. */
export const canComputeInMongo = (column: MadeColumn): boolean =>
  madeCellOf(column, computing((read) => documentCell(read))) !== undefined; // prettier-ignore

/** Not by `localField`, which takes two nulls for equal, and a list for its elements. */
function joined({ type, object, on }: ObjectJoin, i: number, cellOf: CellOf): readonly MongoDocument[] {
  const name = `s${i + 1}`;
  const pairs = on.map(({ left, right }) => comparable(cellOf(left), documentCell(right)));
  const vars = Object.fromEntries(pairs.map(([left], n) => [`v${n}`, left]));
  const equal = pairs.flatMap(([, right], n) => [{ $eq: [right, `$$v${n}`] }, { $ne: [`$$v${n}`, null] }]);
  return [
    { $lookup: { from: object.physical.table, let: vars, pipeline: [{ $match: { $expr: all(equal) } }], as: name } },
    { $unwind: { path: `$${name}`, preserveNullAndEmptyArrays: type === 'left' } },
  ];
}
