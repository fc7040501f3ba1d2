import type { CellValue, ColumnOptions, ColumnSchema, ColumnTypeName } from '../schema.js';
import type { Sql, SqlType } from '../sql.js';

export const OPERATORS = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween',
  'contains', 'ncontains', 'startsWith', 'endsWith', 'isNull', 'isNotNull', 'isEmpty', 'isNotEmpty',
  'on', 'before', 'after', 'within',
] as const; // prettier-ignore
export type Operator = (typeof OPERATORS)[number];

/** What parsing one value gives: its canonical form, or why it is refused. */
export type Parsed<T = CellValue> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string; readonly detail: string };

export const accepted = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const refused = (code: string, detail: string): Parsed<never> => ({ ok: false, code, detail });

/**
 * All that the product knows of one column type. One file per type; nothing elsewhere switches on the type's name.
 * Canonical values: text and keys as NFC strings, integers as numbers, decimals as plain decimal strings, dates as
 * `YYYY-MM-DD`, datetimes as RFC 3339 UTC with milliseconds, booleans as booleans.
 */
export interface ColumnType {
  readonly name: ColumnTypeName;
  /** What it means to a person, for the API documentation. */
  readonly summary: string;
  readonly operators: readonly Operator[];
  /** Type that values are bound as. */
  readonly bind: SqlType;
  /** Values of types of one family may be compared column to column. */
  readonly family: 'text' | 'number' | 'boolean' | 'date' | 'datetime' | 'choice';
  /** Reads `options` of a new column; unknown options are refused. */
  parseOptions(input: Readonly<Record<string, unknown>>): Parsed<ColumnOptions>;
  /** Reads a JSON cell that is not null. */
  parse(input: unknown, column: Pick<ColumnSchema, 'options'>): Parsed;
  /** Reads the text form that URLs and files use. */
  parseText(input: string, column: Pick<ColumnSchema, 'options'>): Parsed;
  /** Physical type in PostgreSQL, with collation. */
  physical(options: ColumnOptions): Sql;
  /** Condition that PostgreSQL itself holds for the column, if any. */
  check?(column: Sql, options: ColumnOptions): Sql | undefined;
  /** SQL that yields the cell's JSON text for a value that is not null. */
  toJson(column: Sql): Sql;
  /** SQL that shows the cell to an operator (see readable-view.ts), where the cell itself does not tell; null where that is null. */
  readable?(cell: Sql, options: ColumnOptions): Sql;
  /** SQL to order by, where it is not the column itself, for a column or a bound value; null exactly where that is null. */
  orderKey?(cell: Sql, options: ColumnOptions): Sql;
  /** The same order in memory: negative, zero, positive. Both values are canonical and not null. */
  compare(a: CellValue, b: CellValue, options: ColumnOptions): number;
  /** Text that is the same for values which are equal, where the canonical values are not (1.0 and 1.00). */
  identity?(value: CellValue): string;
  /** JSON schema of a cell, for API documentation. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
}
