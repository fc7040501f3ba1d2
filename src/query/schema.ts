import type { Id } from '../common/index.js';
import type { Sql } from './sql.js';

/** The types that a column can have; what each means is in types/. */
export const COLUMN_TYPES = [
  'text', 'long_text', 'integer', 'decimal', 'currency', 'percent', 'rating', 'duration', 'boolean', 'date', 'datetime',
  'single_select', 'multi_select', 'user', 'attachment', 'json', 'url', 'email', 'phone', 'autonumber',
  'link', 'lookup', 'rollup', 'count', 'formula', 'created_at', 'updated_at', 'created_by', 'updated_by',
] as const; // prettier-ignore
export type ColumnTypeName = (typeof COLUMN_TYPES)[number];

/** One choice of a select column; `key` is frozen when the choice is made, label and color may change. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  readonly color?: string;
}

export const ROLLUP_FUNCTIONS = ['sum', 'avg', 'min', 'max', 'count', 'countDistinct', 'concat'] as const;
export type RollupFunction = (typeof ROLLUP_FUNCTIONS)[number];

export const DURATION_FORMATS = ['h:mm', 'h:mm:ss'] as const;
export type DurationFormat = (typeof DURATION_FORMATS)[number];

/** Options of a column; which of them apply is the column type's business. */
export interface ColumnOptions {
  readonly maxLength?: number;
  readonly scale?: number;
  readonly choices?: readonly Choice[];
  /** ISO 4217 code of a currency. */
  readonly code?: string;
  /** The highest rating. */
  readonly max?: number;
  /** How a duration is shown. */
  readonly format?: DurationFormat;
  /** Several values in one cell (`user`), or several linked rows (`link`). */
  readonly multiple?: boolean;
  /** The table that a link leads to. */
  readonly tableId?: Id;
  /** The column of the other table that shows the same link from there. */
  readonly inverseColumnId?: Id;
  /** Physical table that holds the pairs of a link, and which end of them this column is. */
  readonly through?: string;
  readonly end?: LinkEnd;
  /** The link of the own table that a lookup, rollup or count follows, and the column that it takes there. */
  readonly linkColumnId?: Id;
  readonly columnId?: Id;
  readonly fn?: RollupFunction;
  /** The text of a formula, with columns by key; and which columns those keys meant when it was stored. */
  readonly formula?: string;
  readonly columnIds?: Readonly<Record<string, Id>>;
}

export type LinkEnd = 'source' | 'target';

/** One value in its canonical form (see the column types). */
export type Scalar = string | number | boolean | null;

/** A cell in its canonical form: a value, or a list that is not empty. An empty list is null. */
export type CellValue = Scalar | readonly Scalar[];

/** What the cells of a column hold: values of this type, one or a list of them. */
export interface ValueKind {
  readonly type: ColumnTypeName;
  readonly options: ColumnOptions;
  readonly list: boolean;
}

/** A link as seen from one of its ends. */
export interface LinkRef {
  /** Physical table of the pairs, in the schema of the base. */
  readonly through: string;
  /** The end that the owner of the column is at. */
  readonly end: LinkEnd;
  /** At most one row at the other end. */
  readonly single: boolean;
  /** At most one row at this end, for each row of the other. */
  readonly inverseSingle: boolean;
  /** The table at the other end. A getter where tables refer to each other in a circle. */
  readonly target: TableSchema;
  /** Key of the column that shows the link from the other end. */
  readonly inverseKey: string;
}

/** A formula that has been checked against its columns; what is in it is the formula language's business. */
export interface CheckedExpression {
  readonly kind: ValueKind;
}

/** Where the cells of a column come from when they are not stored in the row itself. */
export type Derivation =
  | { readonly kind: 'link'; readonly link: LinkRef }
  | { readonly kind: 'lookup'; readonly link: LinkRef; readonly column: ColumnSchema }
  | { readonly kind: 'rollup'; readonly link: LinkRef; readonly column: ColumnSchema; readonly fn: RollupFunction }
  | { readonly kind: 'count'; readonly link: LinkRef }
  | { readonly kind: 'formula'; readonly expression: CheckedExpression }
  /** One of the row's own system columns. */
  | { readonly kind: 'system' };

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
  /** Name of the physical column, where there is one. */
  readonly physical: string;
  /** Absent where the cells are stored under {@link physical} and written by people. */
  readonly derived?: Derivation;
  /** The link that the cells were lists of at another time, of which the log tells; they stand in the row as the relation of then gives it (compile/as-of.ts). */
  readonly linkThen?: LinkRef;
  /** What the cells hold, of a column that a query makes and that has no type and options of its own. */
  readonly holds?: ValueKind;
  /** People may not write the cells although the column could be written: rules of the table say so. */
  readonly locked?: true;
  /** How many characters of SQL a cell of such a column is, see compile/formula/size. */
  readonly size?: number;
}

/** A table as the query core sees it: everything needed to resolve a request, nothing of where it came from. */
export interface TableSchema {
  readonly id: Id;
  readonly schemaVersion: number;
  /** Schema (namespace) and table in the mini-DB. */
  readonly physical: { readonly schema: string; readonly table: string };
  readonly columns: readonly ColumnSchema[];
  /** Further names that columns can be called by. */
  readonly names?: ReadonlyMap<string, ColumnSchema>;
  /** Names that are none because several columns, of several sources, would answer to them. */
  readonly shared?: ReadonlySet<string>;
  /** Present where this is what somebody sees of a table who does not see all of it. */
  readonly seen?: SeenPart;
}

/** What of a table somebody sees. Columns that he does not see are missing in the schema; rows are left out by every statement. */
export interface SeenPart {
  /** The table itself: what writes are made with. */
  readonly whole: TableSchema;
  /** Which rows; all where it is absent. */
  readonly rows?: RowFilter;
  /** Which of the rows that he sees he may change, both as they are and as they become; those that he may delete; what new ones have to be like. All where it is absent. */
  readonly writes?: { readonly update: RowFilter; readonly delete: RowFilter; readonly create: RowFilter };
  /** Whether something may come into sight or go out of it while nothing is written. */
  readonly isTimeBound?: true;
}

/** A condition that is part of a table rather than of a question. Its columns are those of the whole table. */
export interface RowFilter {
  /** The condition on the row under the alias. */
  readonly under: (alias: string) => Sql;
  /** The other tables that it reads. */
  readonly tables: readonly TableSchema[];
  /** What it asks for of the own row. */
  readonly reads: readonly ColumnSchema[];
  /** The same condition, of a row in memory; for one that asks for nothing but the row. `fields` are canonical values by column key. */
  readonly holds: (row: { readonly id: Id; readonly fields: Readonly<Record<string, CellValue>> }) => boolean;
  /** Of the own row, what it depends on, near and far. */
  readonly columns: readonly ColumnSchema[];
  /** Whether it depends on links, which rows in the trash have none of. */
  readonly readsLinks: boolean;
}

/** The column of the table itself that a column of what is seen stands for. */
export function columnOfWhole({ seen }: TableSchema, column: ColumnSchema): ColumnSchema {
  const own = seen ? seen.whole.columns.find(({ id }) => id === column.id) : column;
  if (!own) throw new Error(`The table has no column ${column.key}.`);
  return own;
}

/** The table itself, whatever of it the schema shows. */
export const wholeOf = (table: TableSchema): TableSchema => table.seen?.whole ?? table;

const byKey = new WeakMap<TableSchema, ReadonlyMap<string, ColumnSchema>>();

/** The column with this key, if the table has one. */
export function columnByKey(table: TableSchema, key: string): ColumnSchema | undefined {
  let index = byKey.get(table);
  if (!index) byKey.set(table, (index = new Map(table.columns.map((column) => [column.key, column]))));
  return index.get(key) ?? table.names?.get(key);
}
