import type { ColumnOptions, ColumnSchema, ColumnTypeName, Scalar } from '../schema.js';
import type { WireForm } from '../record/wire-form.js';
import type { Sql, SqlType } from '../sql.js';

export const OPERATORS = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween',
  'contains', 'ncontains', 'startsWith', 'endsWith', 'isNull', 'isNotNull', 'isEmpty', 'isNotEmpty',
  'on', 'before', 'after', 'within', 'hasAny', 'hasAll', 'hasNone', 'isExactly',
] as const; // prettier-ignore
export type Operator = (typeof OPERATORS)[number];

/** What parsing one value gives: its canonical form, or why it is refused. */
export type Parsed<T = Scalar> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string; readonly detail: string };

export const accepted = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const refused = (code: string, detail: string): Parsed<never> => ({ ok: false, code, detail });

export const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null && !Array.isArray(input);

/** Where in the mini-DB a value is read; for types whose values lead to something else. */
export interface Place {
  /** Schema of the base. */
  readonly schema: string;
}

/**
 * All that the product knows of one column type. One file per type; nothing elsewhere switches on the type's name. Where
 * cells are lists, everything but `cells` and `parseOptions` speaks of one element.
 * Canonical values: text and keys as NFC strings, integers as numbers, decimals as plain decimal strings, dates as
 * `YYYY-MM-DD`, datetimes as RFC 3339 UTC with milliseconds, booleans as booleans, ids as strings, JSON as JSON text.
 */
export interface ColumnType {
  readonly name: ColumnTypeName;
  /** What it means to a person, for the API documentation. */
  readonly summary: string;
  /** What the cells hold, where it is not one value of the type itself. */
  cells?(options: ColumnOptions): { readonly type: ColumnTypeName; readonly list: boolean };
  readonly operators: readonly Operator[];
  /** Type that values are bound as. */
  readonly bind: SqlType;
  /** Values of types of one family may be compared column to column. */
  readonly family: 'text' | 'number' | 'boolean' | 'date' | 'datetime' | 'choice' | 'id' | 'json';
  /** Reads `options` of a new column; unknown options are refused. */
  parseOptions(input: Readonly<Record<string, unknown>>): Parsed<ColumnOptions>;
  /** Reads a JSON value that is not null. */
  parse(input: unknown, column: Pick<ColumnSchema, 'options'>): Parsed;
  /** Reads the text form that URLs and files use. */
  parseText(input: string, column: Pick<ColumnSchema, 'options'>): Parsed;
  /** Physical type in PostgreSQL, without collation. */
  physical(options: ColumnOptions): Sql;
  /** Texts are kept by code point: the only order and equality that is the same on every machine. */
  readonly collation?: Sql;
  /** Whether PostgreSQL makes the values itself: what stands behind the physical type of such a column. */
  readonly generated?: Sql;
  /** Condition that PostgreSQL itself holds for the column, if any. */
  check?(column: Sql, options: ColumnOptions): Sql | undefined;
  /** How a value travels into a statement inside a JSON record, where that is not as a value of its physical type. */
  readonly carried?: { readonly as: Sql; read(cell: Sql): Sql };
  /** How a whole cell is read from what {@link toJson} made of it, where that does not become a cell by its physical type. */
  readonly logged?: { readonly as: Sql; read(cell: Sql): Sql };
  /** SQL that yields the JSON text of a value that is not null. */
  toJson(cell: Sql, place: Place): Sql;
  /** How a value travels for which the server writes what {@link toJson} makes of it. Absent: it travels as that text. */
  readonly wire?: WireForm;
  /**
   * The same text for a canonical value that has not been in PostgreSQL yet: byte for byte what {@link toJson} will make of it. Absent where only
   * PostgreSQL can tell; undefined for values of which only it can.
   */
  said?(value: Scalar, options: ColumnOptions): string | undefined;
  /** SQL that yields what a person reads, for a value that is not null. */
  toText(cell: Sql, options: ColumnOptions): Sql;
  /** SQL that yields what a number becomes, null where it becomes nothing; of types of numbers. Never fails, whatever the number. */
  readonly fromNumber?: (n: Sql, options: ColumnOptions) => Sql;
  /** SQL that yields what a text becomes, null where it becomes nothing. Never fails, whatever the text. Absent: no text becomes one. */
  readonly fromText?: (text: Sql, options: ColumnOptions) => Sql;
  /** Values of a default that are decided when the row is made. */
  readonly dynamicDefault?: 'now' | 'me';
  /** Absent: rows may be sorted by it. */
  readonly sortable?: false;
  /** Absent: a column of it may be unique. */
  readonly uniquable?: false;
  /** SQL to order by, where it is not the column itself, for a column or a bound value; null exactly where that is null. */
  orderKey?(cell: Sql, options: ColumnOptions): Sql;
  /** Bytes that the largest value takes in a B-tree; absent for types whose values do not belong into one. */
  indexBytes?(options: ColumnOptions): number;
  /** The same order in memory: negative, zero, positive. Both values are canonical and not null. */
  compare(a: Scalar, b: Scalar, options: ColumnOptions): number;
  /** Text that is the same for values which are equal, where the canonical values are not (1.0 and 1.00). */
  identity?(value: Scalar): string;
  /** What a unique column holds once, where it is not the value itself: in SQL, and in memory. */
  readonly uniqueKey?: { of(value: Scalar): string; sql(cell: Sql): Sql };
  /** JSON schema of a value, for API documentation. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
}
