import type { ColumnSchema, TableSchema } from '../schema.js';
import { comma, ident, join, sql, type Sql } from '../sql.js';
import {
  checkName,
  commentColumn,
  requiredCheck,
  requiredCheckName,
  tail,
  uniqueIndex,
  uniqueIndexName,
} from './ddl.js';
import { columnType } from '../types/index.js';
import { isStored, kindOf } from '../kind.js';
import { defaultValue, physicalType } from './physical.js';
import { tableName } from './read.js';

const alter = (table: TableSchema, action: Sql): Sql => sql`alter table ${tableName(table)} ${action}`;
const alterColumn = (table: TableSchema, column: ColumnSchema, action: Sql): Sql =>
  alter(table, sql`alter column ${ident(column.physical)} ${action}`);

/** From here on each live row has a value. Fails with 23514 when one has none. */
export const demandValue = (table: TableSchema, column: ColumnSchema): Sql[] => [
  alter(table, sql`add ${requiredCheck(column)}`),
];

/** Columns that were made required when they were held by NOT NULL lose that, too. */
export const allowNull = (table: TableSchema, column: ColumnSchema): Sql[] => [
  alter(table, sql`drop constraint if exists ${ident(requiredCheckName(column))}`),
  alterColumn(table, column, sql`drop not null`),
];

/** From here on no two live rows have the same value. Fails with 23505 when some have. */
export const demandUnique = (table: TableSchema, column: ColumnSchema): Sql[] => [uniqueIndex(table, column)];

export const allowRepeats = (table: TableSchema, column: ColumnSchema): Sql[] => [
  sql`drop index if exists ${ident(table.physical.schema, uniqueIndexName(table, column))}`,
];

/** The default that operators see. Rows that are there keep what they have. */
export function setDefault(table: TableSchema, column: ColumnSchema): Sql[] {
  const initial = defaultValue(column);
  return [alterColumn(table, column, initial ? sql`set default ${initial}` : sql`drop default`)];
}

/** What the type demands of values, after an option of it has changed. Fails with 23514 where a row does not comply. */
export function renewCheck(table: TableSchema, column: ColumnSchema): Sql[] {
  const check = checkOf(column, column.physical);
  if (!check) return [];
  const name = ident(checkName(column));
  return [
    alter(table, sql`drop constraint if exists ${name}`),
    alter(table, sql`add constraint ${name} check (${check})`),
  ];
}

/** Hides a column: nobody writes it any more, its values stay until it is purged. Rows made meanwhile get none, also no default. */
export const retireColumn = (table: TableSchema, column: ColumnSchema, retiredName: string): Sql[] => [
  ...(column.required ? allowNull(table, column) : []),
  ...(column.unique ? allowRepeats(table, column) : []),
  ...(column.default === null ? [] : setDefault(table, { ...column, default: null })),
  rename(table, column.physical, retiredName),
];

/** Undoes {@link retireColumn}: `column` is as it will be, with what is demanded of its values. */
export const reviveColumn = (table: TableSchema, column: ColumnSchema, retiredName: string): Sql[] => [
  rename(table, retiredName, column.physical),
  commentColumn(table, column),
  ...(column.default === null ? [] : setDefault(table, column)),
  ...(column.required ? demandValue(table, column) : []),
  ...(column.unique ? demandUnique(table, column) : []),
];

/** Removes hidden columns for good. PostgreSQL goes on counting them (manual: ALTER TABLE, DROP COLUMN). */
export const dropColumns = (table: TableSchema, names: readonly string[]): Sql =>
  alter(
    table,
    join(
      names.map((name) => sql`drop column if exists ${ident(name)}`),
      comma,
    ),
  );

const rename = (table: TableSchema, from: string, to: string): Sql =>
  alter(table, sql`rename column ${ident(from)} to ${ident(to)}`);

/** A column that nobody sees yet, of the type of another and without what is demanded of that. */
export const addHiddenColumn = (table: TableSchema, column: ColumnSchema, hiddenName: string): Sql =>
  alter(table, sql`add column ${ident(hiddenName)} ${physicalType(column)}`);

/** What the type demands of a hidden column, of what is written from now on; {@link validateHiddenCheck} is for the rows that are there. */
export function addHiddenCheck(table: TableSchema, column: ColumnSchema, hiddenName: string): Sql[] {
  const check = checkOf(column, hiddenName);
  return check ? [alter(table, sql`add constraint ${ident(hiddenCheckName(column))} check (${check}) not valid`)] : [];
}

/** While rows are read and written (manual: ALTER TABLE, VALIDATE CONSTRAINT). May be repeated. */
export const validateHiddenCheck = (table: TableSchema, column: ColumnSchema): Sql[] =>
  checkOf(column, column.physical) ? [alter(table, sql`validate constraint ${ident(hiddenCheckName(column))}`)] : [];

const hiddenCheckName = (column: ColumnSchema): string => `_cn_${tail(column.id)}`;

/** What the type demands of cells; nothing of lists. */
const checkOf = (column: ColumnSchema, physical: string): Sql | undefined =>
  kindOf(column).list ? undefined : columnType(column.type).check?.(ident(physical), column.options);

/**
 * Puts a hidden column in the place of another, which stays under the name of `kept`, with what its type demands, if it is stored. `to` has the
 * id and the name of `from`. With `checked` the hidden column has {@link addHiddenCheck}, and the rows are not looked at for that.
 */
export const swapColumn = (
  table: TableSchema,
  from: ColumnSchema,
  to: ColumnSchema,
  hiddenName: string,
  kept: ColumnSchema,
  { checked = false } = {},
): Sql[] => [
  ...(isStored(from) ? putAside(table, from, kept) : []),
  rename(table, hiddenName, to.physical),
  commentColumn(table, to),
  ...(checked && checkOf(to, to.physical)
    ? [renameConstraint(table, hiddenCheckName(to), checkName(to))]
    : renewCheck(table, to)),
  ...(to.default === null ? [] : setDefault(table, to)),
  ...(to.required ? demandValue(table, to) : []),
  ...(to.unique ? demandUnique(table, to) : []),
];

const putAside = (table: TableSchema, from: ColumnSchema, kept: ColumnSchema): Sql[] => [
  ...(checkOf(from, from.physical) ? [renameConstraint(table, checkName(from), checkName(kept))] : []),
  ...retireColumn(table, from, kept.physical),
];

const renameConstraint = (table: TableSchema, from: string, to: string): Sql =>
  alter(table, sql`rename constraint ${ident(from)} to ${ident(to)}`);
