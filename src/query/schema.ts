import type { Id } from '../common/index.js';

/** The types that a column can have; what each means is in types/. */
export const COLUMN_TYPES = [
  'text',
  'long_text',
  'integer',
  'decimal',
  'boolean',
  'date',
  'datetime',
  'single_select',
] as const;
export type ColumnTypeName = (typeof COLUMN_TYPES)[number];

/** One choice of a select column; `key` is frozen when the choice is made, label and color may change. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  readonly color?: string;
}

/** Options of a column; which of them apply is the column type's business. */
export interface ColumnOptions {
  readonly maxLength?: number;
  readonly scale?: number;
  readonly choices?: readonly Choice[];
}

/** A cell value in its canonical form (see the column types). */
export type CellValue = string | number | boolean | null;

/** A column as the query core sees it. */
export interface ColumnSchema {
  readonly id: Id;
  /** JSON key of the column. */
  readonly key: string;
  readonly name: string;
  readonly type: ColumnTypeName;
  readonly options: ColumnOptions;
  readonly required: boolean;
  readonly unique: boolean;
  readonly default: CellValue;
  /** Name of the physical column. */
  readonly physical: string;
}

/** A table as the query core sees it: everything needed to resolve a request, nothing of where it came from. */
export interface TableSchema {
  readonly id: Id;
  readonly schemaVersion: number;
  /** Schema (namespace) and table in the mini-DB. */
  readonly physical: { readonly schema: string; readonly table: string };
  readonly columns: readonly ColumnSchema[];
}

const byKey = new WeakMap<TableSchema, ReadonlyMap<string, ColumnSchema>>();

/** The column with this key, if the table has one. */
export function columnByKey(table: TableSchema, key: string): ColumnSchema | undefined {
  let index = byKey.get(table);
  if (!index) byKey.set(table, (index = new Map(table.columns.map((column) => [column.key, column]))));
  return index.get(key);
}
