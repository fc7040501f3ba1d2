import type { Aggregate, Bucket } from '../../group-plan.js';
import type { Expression } from '../../formula/expression.js';
import type { ObjectColumn, ObjectSchema } from '../../object-schema.js';
import type { Comparison, JsonTest } from '../../plan.js';
import type { CellValue, ColumnSchema, Scalar, ValueKind } from '../../schema.js';
import { kindOf } from '../../kind.js';
import type { MatchMode } from '../../case-pattern.js';
import type { Form } from '../../object-schema.js';
import type { RecordForm } from '../../record/wire-form.js';
import type { Sql } from '../../sql.js';

/** A cell in SQL, and how it is kept. */
export interface FormedCell {
  readonly sql: Sql;
  readonly form: Form;
}

/** An output of a statement. */
export interface Shown {
  readonly key: string;
  readonly cell: FormedCell;
  readonly kind: ValueKind;
}

/** A cell as it travels in a record. */
export interface SentCell {
  readonly cell: Sql;
  readonly form: RecordForm;
}

/**
 * Where SQL databases differ; all else of a statement is one walk. Everything that is said of cells is said of canonical values by
 * the product's rules, whatever collation, notation or null order the database has.
 */
export interface SqlDialect {
  /** How values of a kind are kept where a subquery made them. */
  formOf(kind: ValueKind): Form;
  /** Whether rows can be sorted, grouped and compared by it. */
  isComparable(form: Form): boolean;
  /** What rows are sorted by, and how a value of a cursor is compared with it: as the driver gave it. */
  key(cell: FormedCell): Sql;
  bindKey(form: Form, value: CellValue): Sql;
  /** A moment that a statement takes for now. */
  moment(at: Date): Sql;
  /** Canonical, of the form that {@link formOf} names: what groups and aggregates are made of. */
  canonical(cell: FormedCell): Sql;
  /** True or unknown; `neq` is true for nulls. */
  compare(cell: FormedCell, op: Comparison, value: Scalar): Sql;
  oneOf(cell: FormedCell, values: readonly Scalar[]): Sql;
  between(cell: FormedCell, low: Scalar, high: Scalar): Sql;
  match(cell: FormedCell, mode: MatchMode, text: string): Sql;
  /** Whether null is what is shown of the cell, whatever the database has there; true or false. */
  isNull(cell: FormedCell): Sql;
  isNotNull(cell: FormedCell): Sql;
  isEmpty(cell: FormedCell): Sql;
  /** Undefined where there are no paths. */
  json?(cell: FormedCell, path: readonly string[], test: JsonTest): Sql;
  /** Whether two values that can both be null are the same. */
  same(a: Sql, b: Sql): Sql;
  /** Equality of two columns that an index of either can serve; true or unknown. */
  joined(a: FormedCell, b: FormedCell): Sql;
  /** Where nulls are not the smallest values by themselves: what makes them so. */
  readonly nulls?: { readonly asc: Sql; readonly desc: Sql };
  /** As `branchesBehind` asks it. */
  readonly comparesRowsWithNulls: boolean;
  /** Of canonical cells: what equal values of other notations have in common. */
  grouped?(kind: ValueKind, cell: Sql): Sql;
  bucket(bucket: Bucket, isInstant: boolean, cell: Sql): Sql;
  aggregate(aggregate: Aggregate & { readonly column: ColumnSchema }, cell: Sql): Sql;
  /**
   * The value of a formula: canonical, of the form that {@link formOf} names, and never an error of the statement. Undefined where it
   * would not be exactly what all others give; absent where no formula is computed there.
   */
  formula?(expression: Expression, cell: (column: ColumnSchema) => FormedCell): Sql | undefined;
  /** What the statement gives of a row, in as many columns as it likes; the engine makes JSON of them. */
  show(outputs: readonly Shown[]): readonly Sql[];
  /**
   * The cell as a field of a record, of which the server writes what {@link show} says of it, and a key that {@link bindKey} binds back. Absent where there are no
   * records.
   */
  sent?(cell: FormedCell): SentCell;
  /** A value to be stored, of a column of the object that can hold it. */
  store(column: ObjectColumn, value: CellValue, object: ObjectSchema): Sql;
}

/** How a column is kept, be it of an object or of a subquery. */
export const formOf = (dialect: SqlDialect, column: ColumnSchema): Form =>
  isObjectColumn(column) ? column.form : dialect.formOf(kindOf(column));

export const isObjectColumn = (column: ColumnSchema): column is ObjectColumn =>
  'form' in column && typeof column.form === 'string';
