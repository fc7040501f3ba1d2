import type { Id } from '../../common/index.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { kindOf, valueType } from '../kind.js';
import { columnType } from '../types/index.js';
import { comma, ident, join, sql, value, type Sql } from '../sql.js';
import { folded } from './text-match.js';
import { primaryKeyName, tail } from './ddl.js';
import { tableName } from './read.js';

/**
 * What an index is for. `sort`: pages in this order. `filter`: equality and ranges; the same as `sort` but for types that are
 * ordered by something else than their value, such as choices. `search`: `contains` and its like, on one column of text.
 */
export const INDEX_KINDS = ['sort', 'filter', 'search'] as const;
export type IndexKind = (typeof INDEX_KINDS)[number];

export interface IndexKey {
  readonly column: ColumnSchema;
  readonly dir: 'asc' | 'desc';
}

/** What an index is made of, by its columns. */
export interface IndexPlan {
  readonly kind: IndexKind;
  readonly keys: readonly IndexKey[];
  /** No two live rows have the same values in all columns; where one of them is empty, rows are never the same. Of the kind `sort` only. */
  readonly unique?: boolean;
}

/** Columns of an index, at most; as many as a sort may have keys. */
export const MAX_INDEX_COLUMNS = 5;

/** Of the 2,704 bytes that an entry of a B-tree may have (a third of a page), those that are left beside the id. */
export const ENTRY_BYTES = 2_600;

/** How the names of indexes begin that were asked for. */
export const INDEX_PREFIX = '_ix_';

/** Name of an index that was asked for. */
export const indexName = (tableId: Id, indexId: Id): string => `${INDEX_PREFIX}${tail(tableId)}_${tail(indexId)}`;

/** Whether the values of the column may stand in an index of this kind. */
export function isIndexable(column: ColumnSchema, kind: IndexKind): boolean {
  const isInRow = column.derived === undefined || column.derived.kind === 'system';
  if (!isInRow || kindOf(column).list) return false;
  const plugin = valueType(column);
  if (kind === 'search') return plugin.family === 'text' && plugin.operators.includes('contains');
  return plugin.indexBytes !== undefined;
}

/** Whether it can be built of what its columns are now. Of a unique one values are compared, not their order. */
export const canBeBuilt = ({ kind, keys, unique = false }: IndexPlan): boolean =>
  keys.every(({ column }) => isIndexable(column, unique ? 'filter' : kind));

/** Whether every row fits: no value that the columns take is too long for an entry, so that the index never refuses one. */
export function fitsAlways({ kind, keys }: IndexPlan): boolean {
  if (kind === 'search') return true;
  const bytes = keys.map(({ column }) => columnType(column.type).indexBytes?.(column.options) ?? Infinity);
  return bytes.reduce((sum, each) => sum + each, 0) <= ENTRY_BYTES;
}

/** The same index, read forwards: one that begins with a descending column is as good as its mirror image. */
export function forwards({ keys, ...plan }: IndexPlan): IndexPlan {
  if (keys[0]?.dir !== 'desc') return { ...plan, keys };
  return { ...plan, keys: keys.map(({ column, dir }) => ({ column, dir: dir === 'asc' ? 'desc' : 'asc' })) };
}

/**
 * Method, keys and predicate: what makes an index that index, wherever its table is. Of `sort` and `filter` the order is that of
 * `compileOrderBy`, nulls included, and the id ends it: PostgreSQL reads it in either direction and never has to sort. A unique
 * one has the values alone.
 */
export function indexDefinition(plan: IndexPlan): Sql {
  const { kind, keys, unique = false } = forwards(plan);
  if (unique) {
    const cells = keys.map(({ column, dir }) => sql`${ident(column.physical)} ${direction(column, dir)}`);
    return sql`using btree (${join(cells, comma)}) where _deleted_at is null`;
  }
  if (kind === 'search') {
    const texts = keys.map(({ column }) => sql`(${folded(ident(column.physical))}) gin_trgm_ops`);
    return sql`using gin (${join(texts, comma)}) where _deleted_at is null`;
  }
  const terms = keys.map(({ column, dir }) => sql`${keyOf(column, kind)} ${direction(column, dir)}`);
  const id = keys.at(-1)?.dir === 'desc' ? sql`_id desc` : sql`_id`;
  return sql`using btree (${join([...terms, id], comma)}) where _deleted_at is null`;
}

function keyOf(column: ColumnSchema, kind: IndexKind): Sql {
  const cell = ident(column.physical);
  const key = kind === 'sort' ? columnType(column.type).orderKey?.(cell, column.options) : undefined;
  return key ? sql`(${key})` : cell;
}

function direction({ required }: ColumnSchema, dir: 'asc' | 'desc'): Sql {
  if (required) return dir === 'asc' ? sql`asc` : sql`desc`;
  return dir === 'asc' ? sql`asc nulls first` : sql`desc nulls last`;
}

/** Builds while rows are read and written. Not within a transaction; one that fails leaves an invalid index behind. */
export const createIndex = (table: TableSchema, name: string, plan: IndexPlan): Sql =>
  sql`create ${plan.unique === true ? sql`unique index` : sql`index`} concurrently ${ident(name)} on ${tableName(table)} ${indexDefinition(plan)}`;

/** The same within a transaction, which nobody else writes the table in. One that is there already stays. */
export const createIndexAtOnce = (table: TableSchema, name: string, plan: IndexPlan): Sql =>
  sql`create ${plan.unique === true ? sql`unique index` : sql`index`} if not exists ${ident(name)} on ${tableName(table)} ${indexDefinition(plan)}`;

/** Within a transaction, which nobody else uses the table in. */
export const dropIndexAtOnce = (schema: string, name: string): Sql => sql`drop index if exists ${ident(schema, name)}`;

/** Not within a transaction. */
export const dropIndex = (schema: string, name: string): Sql =>
  sql`drop index concurrently if exists ${ident(schema, name)}`;

/** Expressions of an index have statistics only after this. */
export const analyzeTable = (table: TableSchema): Sql => sql`analyze ${tableName(table)}`;

/**
 * What is really there under an index's name: row `valid, of this table, columns that it needs (JSON array), unique`; no row when there is
 * none. A table is known by its primary key, whatever it is called meanwhile.
 */
export const compileIndexState = (table: TableSchema, name: string): Sql =>
  sql`select i.indisvalid,
  exists (select from pg_constraint k where k.conrelid = i.indrelid and k.conname = ${value(primaryKeyName(table), 'text')}),
  to_json(array(select distinct a.attname::text from pg_depend d
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and d.refobjid = i.indrelid and d.refobjsubid > 0 order by 1)),
  i.indisunique
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = ${value(table.physical.schema, 'text')} and c.relname = ${value(name, 'text')}`;

/**
 * The B-trees that were asked for of a table, those that are just being built included: rows `unique, physical names of the columns in
 * its keys (JSON array, in order)`. Each of them may refuse a row.
 */
export const compileIndexKeys = ({ id, physical }: TableSchema): Sql =>
  sql`select i.indisunique, to_json(array(select a.attname::text from unnest(i.indkey) with ordinality k(attnum, n)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by k.n))
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am m on m.oid = c.relam
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = ${value(physical.schema, 'text')} and m.amname = 'btree' and i.indisready
  and starts_with(c.relname, ${value(`${INDEX_PREFIX}${tail(id)}_`, 'text')}) order by c.relname`;

/** How many rows PostgreSQL believes a table to have, those in the trash included; below zero before it has looked. */
export const compileRowEstimate = ({ physical }: TableSchema): Sql =>
  sql`select c.reltuples::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = ${value(physical.schema, 'text')} and c.relname = ${value(physical.table, 'text')}`;
