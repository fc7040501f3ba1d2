import type { Expression } from './formula/expression.js';
import type { ColumnSchema, TableSchema } from './schema.js';

export const OBJECT_KINDS = ['table', 'view', 'collection'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * How an external database keeps the values of a column, as the compiler of its dialect names it: it says how a cell becomes a
 * canonical value, and how a value is bound to be compared with it. Nothing outside of the dialect reads it.
 */
export type Form = string;

/** A column of an external database. `physical` is its name there; of a collection the path, with dots between. */
export interface ObjectColumn extends ColumnSchema {
  readonly form: Form;
  /** Alias of the object that it belongs to, in a source of several. */
  readonly alias: string;
}

/** What an external database computes of cells of the same row. */
export interface MadeColumn extends ColumnSchema {
  readonly made: Expression;
  /** The columns that the formula reads, as that database has them. */
  readonly reads: ReadonlyMap<ColumnSchema, ObjectColumn | MadeColumn>;
}

export const isMade = (column: ColumnSchema): column is MadeColumn => 'made' in column;

/** An object of an external database (table, view, collection) as the query core sees it. */
export interface ObjectSchema extends TableSchema {
  readonly kind: ObjectKind;
  readonly columns: readonly ObjectColumn[];
  /** What tells its rows apart, never null: the primary key, or else a unique one. Empty where there is none. */
  readonly key: readonly ObjectColumn[];
  /** How many rows the database thinks it has. */
  readonly estimatedRows: number | null;
}

/** Another object whose rows are put beside those in front of it. */
export interface ObjectJoin {
  readonly type: 'left' | 'inner';
  readonly alias: string;
  readonly object: ObjectSchema;
  /** Equal values, nulls never; `left` is of an object in front of this one, `right` of this one. */
  readonly on: readonly { readonly left: ObjectColumn; readonly right: ObjectColumn }[];
}

/** What a read of an external database is from: an object, or several of one connection. As a table: all their columns, under the keys of the answer. */
export interface ObjectSource extends TableSchema {
  readonly object: ObjectSchema;
  /** Alias of {@link object}. */
  readonly alias: string;
  readonly joins: readonly ObjectJoin[];
  readonly columns: readonly ObjectColumn[];
}
