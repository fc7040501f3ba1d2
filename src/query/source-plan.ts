import type { GroupPlan } from './group-plan.js';
import type { ObjectColumn, ObjectSchema, ObjectSource } from './object-schema.js';
import type { ReadPlan } from './plan.js';
import type { CellValue } from './schema.js';

/**
 * A read of an external database: a {@link ReadPlan} whose order ends with what tells the rows apart, which is columns and not
 * an id of ours. Where nothing does (`skip` is set then), it ends with all columns, and the page is found by counting: rows that are alike
 * in all columns can take each other's place.
 */
export interface SourceRead extends Pick<ReadPlan, 'where' | 'orderBy' | 'after' | 'clock' | 'limit' | 'count'> {
  readonly from: ObjectSource;
  readonly select: readonly ObjectColumn[];
  /** Rows in front of the page. */
  readonly skip?: number;
}

/** Groups of rows of an external database. */
export interface SourceGroups extends Omit<GroupPlan, 'from'> {
  readonly from: ObjectSource;
}

/** A value for a column of an external row. */
export interface ObjectCell {
  readonly column: ObjectColumn;
  readonly value: CellValue;
}

/** One row of an external database changed, addressed by its primary key. */
export type Mutation =
  | { readonly op: 'insert'; readonly object: ObjectSchema; readonly values: readonly ObjectCell[] }
  | {
      readonly op: 'update';
      readonly object: ObjectSchema;
      readonly key: readonly ObjectCell[];
      readonly values: readonly ObjectCell[];
      /** What the row must hold, or else nothing is done (compare and set). */
      readonly expected: readonly ObjectCell[];
      /** A column of whole numbers that grows by one with the change. */
      readonly increment?: ObjectColumn;
    }
  | {
      readonly op: 'delete';
      readonly object: ObjectSchema;
      readonly key: readonly ObjectCell[];
      readonly expected: readonly ObjectCell[];
    };
