import type { CellValue, ColumnSchema, RollupFunction, TableSchema } from './schema.js';
import type { Condition, CountMode, OrderTerm } from './plan.js';

/**
 * A logical question for groups of rows, resolved as a {@link ReadPlan} is. Its groups are rows of a table of their own, whose
 * columns are the {@link GroupKey.output}s and {@link Aggregate.output}s: `having`, order and position speak of these,
 * `where` of the table that is asked.
 */
export interface GroupPlan {
  readonly from: TableSchema;
  readonly where: Condition;
  /** As of a {@link ReadPlan}. */
  readonly asOf?: number;
  /** None: all rows are one group, which is there even when there is no row. */
  readonly groups: readonly GroupKey[];
  readonly aggregates: readonly Aggregate[];
  readonly having: Condition;
  /** Total order: the resolver ends it with all groups. */
  readonly orderBy: readonly OrderTerm[];
  readonly after?: readonly CellValue[];
  /** As of a {@link ReadPlan}. */
  readonly clock?: Date;
  readonly limit: number;
  readonly count: CountMode;
}

export const BUCKETS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type BucketUnit = (typeof BUCKETS)[number];

/** A span of the calendar, in the time zone in which instants are read. */
export interface Bucket {
  readonly unit: BucketUnit;
  readonly zone: string;
}

/** What rows are grouped by: the cells of a column, or the spans that they lie in. */
export interface GroupKey {
  readonly column: ColumnSchema;
  readonly bucket?: Bucket;
  readonly output: ColumnSchema;
}

export const AGGREGATE_FUNCTIONS = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'] as const satisfies readonly RollupFunction[]; // prettier-ignore
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

/**
 * What is told of the rows of a group, by the rules of rollups: empty cells do not count, and lists are taken apart. `count` alone
 * counts cells and not the elements of lists; without a column it counts rows.
 */
export type Aggregate =
  | { readonly fn: 'count'; readonly column?: undefined; readonly output: ColumnSchema }
  | { readonly fn: AggregateFunction; readonly column: ColumnSchema; readonly output: ColumnSchema };
