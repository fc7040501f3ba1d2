import type { Id } from '../../common/index.js';
import type { Expression } from '../formula/expression.js';
import type { Form, ObjectSchema } from '../object-schema.js';
import type { ColumnSchema, TableSchema } from '../schema.js';

/** What stands in one place of a view: a table of ours, or an object of an external database. */
export type ViewSource =
  | { readonly kind: 'table'; readonly table: TableSchema }
  | { readonly kind: 'object'; readonly connectionId: Id; readonly object: ObjectSchema };

/** One of the tables and objects whose rows stand side by side in those of a view; the first one drives. */
export interface ViewPlace {
  readonly alias: string;
  readonly source: ViewSource;
  /** Absent for the first. */
  readonly join?: ViewJoin;
}

/** Equal values, nulls never; `left` is of a place in front of this one, `right` of this one. A list on the left holds the value. */
export interface ViewJoin {
  readonly type: 'left' | 'inner';
  readonly on: readonly { readonly left: ViewColumn; readonly right: ViewColumn }[];
}

/** Where the cells of a column come from. */
export type Origin =
  | { readonly kind: 'cell'; readonly place: number; readonly column: ColumnSchema }
  /** What tells the rows of the place apart. */
  | { readonly kind: 'key'; readonly place: number }
  | { readonly kind: 'formula'; readonly expression: Expression };

/** A column of a view. Its cells are as those of a stored column are, under `physical`, wherever the rows are put together. */
export interface ViewColumn extends ColumnSchema {
  readonly of: Origin;
  /** Of a cell of an external object: formulas know by it that it may hold what no column of ours can. */
  readonly form?: Form;
}

/** The rows of several tables and objects side by side, as a table: what conditions, order and groups of a view speak of. */
export interface ViewTable extends TableSchema {
  readonly places: readonly ViewPlace[];
  readonly columns: readonly ViewColumn[];
  /** What tells the rows apart: one column for each place, in their order. Not among {@link columns}. */
  readonly keys: readonly ViewColumn[];
  /** What the definition's own filter asks for behind links; absent where it follows none. */
  readonly linked?: LinkedPart;
}

/** Rows behind links that decide which rows a view has. */
export interface LinkedPart {
  readonly tables: readonly TableSchema[];
  /** Whether what is asked of them changes while nothing is written. */
  readonly isTimeBound: boolean;
}

/** The tables of ours in the places of a view, and those that its filter reads behind links. */
export const tablesIn = ({ places, linked }: Pick<ViewTable, 'places' | 'linked'>): readonly TableSchema[] => [
  ...places.flatMap(({ source }) => (source.kind === 'table' ? source.table : [])),
  ...(linked?.tables ?? []),
];

export const isViewColumn = (column: ColumnSchema): column is ViewColumn => 'of' in column;
