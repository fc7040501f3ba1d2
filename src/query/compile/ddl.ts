import type { ColumnSchema, TableSchema } from '../schema.js';
import { columnType } from '../types/index.js';
import { comma, empty, ident, join, literal, sql, value, type Sql } from '../sql.js';
import { streamName, tableName } from './read.js';
import type { WriteContext } from '../write-plan.js';

/**
 * The tables that every base carries in its own schema: `_stream` (one counter for each table), `_change` (the change log),
 * `_applied` (which schema operations took place) and `_file` (what is attached to rows). Nothing of a base lives anywhere else
 * in the mini-DB.
 */
export function createBaseSchema(schema: string, displayName: string): Sql[] {
  const name = (table: string): Sql => ident(schema, table);
  return [
    sql`create schema ${ident(schema)}`,
    sql`comment on schema ${ident(schema)} is ${literal(displayName)}`,
    // fillfactor: the counter is updated by every write; room on its page lets PostgreSQL do so without touching the index (HOT).
    sql`create table ${name('_stream')} (table_id uuid primary key, epoch uuid not null, seq bigint not null, schema_version integer not null) with (fillfactor = 10)`,
    sql`create table ${name('_change')} (
      table_id uuid not null, seq bigint not null, ord integer not null, row_id uuid, version integer,
      op text not null check (op in ('create', 'update', 'delete', 'restore', 'schema')),
      before json, after json, at timestamptz not null, actor_id uuid, actor_name text not null, client_id text,
      source text not null, request_id text not null, change_set uuid not null, revert_of uuid, schema_version integer not null,
      primary key (table_id, seq, ord))`,
    sql`create index on ${name('_change')} (row_id, version)`,
    sql`create table ${name('_applied')} (op_id uuid primary key, outcome text not null check (outcome in ('applied', 'cancelled')), at timestamptz not null default now())`,
    // Bases from before there were files get the same by a migration (src/database/mini/migrate.ts).
    sql`create table ${name('_file')} (
      id uuid primary key, table_id uuid not null, name text not null, size bigint, mime_type text not null, sha256 text,
      storage_key text not null, created_at timestamptz not null, created_by uuid, stored_at timestamptz,
      unreferenced_since timestamptz, removed_at timestamptz, check (stored_at is null or (size is not null and sha256 is not null)))`,
    sql`comment on table ${name('_file')} is 'Files attached to rows: what they are and where their bytes are kept.'`,
    sql`comment on table ${name('_change')} is 'Change log: every committed change, numbered without gaps for each table.'`,
    sql`comment on table ${name('_stream')} is 'Newest number of each table''s change log, and its schema version.'`,
  ];
}

/** A new table with its columns and its stream. */
export function createTable(table: TableSchema & { readonly name: string }, epoch: string): Sql[] {
  return [
    sql`create table ${tableName(table)} (
      _id uuid constraint ${ident(primaryKeyName(table))} primary key, _version integer not null, _created_at timestamptz not null, _created_by uuid,
      _updated_at timestamptz not null, _updated_by uuid, _deleted_at timestamptz${join(
        table.columns.map((column) => sql`, ${columnDefinition(column)}`),
        empty,
      )})`,
    sql`comment on table ${tableName(table)} is ${literal(table.name)}`,
    ...table.columns.flatMap((column) => columnExtras(table, column)),
    sql`insert into ${streamName(table)} (table_id, epoch, seq, schema_version) values (${value(table.id, 'uuid')}, ${value(epoch, 'uuid')}, 0, ${value(table.schemaVersion, 'integer')})`,
  ];
}

/** A new column of an existing table. With a default, the rows that are there get it too, as one would expect of a new column. */
export function addColumn(table: TableSchema, column: ColumnSchema): Sql[] {
  return [sql`alter table ${tableName(table)} add column ${columnDefinition(column)}`, ...columnExtras(table, column)];
}

/** Display names are what an operator reads; keys stay as they are. */
export const commentColumn = (table: TableSchema, column: ColumnSchema): Sql =>
  sql`comment on column ${ident(table.physical.schema, table.physical.table, column.physical)} is ${literal(column.name)}`;

export const commentTable = (table: TableSchema, name: string): Sql =>
  sql`comment on table ${tableName(table)} is ${literal(name)}`;

/** Hides a column: nobody writes it any more, its values stay until it is purged. */
export function retireColumn(table: TableSchema, column: ColumnSchema, retiredName: string): Sql[] {
  const drops = column.required
    ? [sql`alter table ${tableName(table)} alter column ${ident(column.physical)} drop not null`]
    : [];
  const unique = column.unique
    ? [sql`drop index if exists ${ident(table.physical.schema, uniqueIndexName(table, column))}`]
    : [];
  return [
    ...drops,
    ...unique,
    sql`alter table ${tableName(table)} rename column ${ident(column.physical)} to ${ident(retiredName)}`,
  ];
}

/**
 * Moves the stream to the next schema version, with a number and a log entry like any other change; writers that were
 * compiled for the version before are refused by the fence from here on.
 * Fails (NOT NULL on `seq`) when the version is not the expected one.
 */
export function advanceSchema(table: TableSchema, toVersion: number, context: WriteContext, change: object): Sql {
  return sql`with taken as (update ${streamName(table)} set seq = seq + 1, schema_version = ${value(toVersion, 'integer')}
    where table_id = ${value(table.id, 'uuid')} and schema_version = ${value(table.schemaVersion, 'integer')} returning seq)
insert into ${ident(table.physical.schema, '_change')} (table_id, seq, ord, op, after, at, actor_id, actor_name, client_id, source, request_id, change_set, schema_version)
select ${value(table.id, 'uuid')}, seq, 0, 'schema', ${value(JSON.stringify(change), 'json')}, date_trunc('milliseconds', statement_timestamp()),
  ${value(context.actorId, 'uuid')}, ${value(context.actorName, 'text')}, ${value(context.clientId ?? null, 'text')}, ${value(context.source, 'text')},
  ${value(context.requestId, 'text')}, ${value(context.changeSet, 'uuid')}, ${value(toVersion, 'integer')}
from (select) always left join taken on true`;
}

/*
 * Indexes and tables of a schema share one space of names. Those of indexes begin with an underscore, which no key does, so
 * that no table can be named like an index; they are built from ids of ours, because PostgreSQL cuts names at 63 bytes.
 */
const tail = (id: string): string => id.replaceAll('-', '').slice(-12);
const primaryKeyName = (table: TableSchema): string => `_pk_${tail(table.id)}`;

/** Name of the index that holds a unique column. */
export const uniqueIndexName = (table: TableSchema, column: ColumnSchema): string =>
  `_uq_${tail(table.id)}_${tail(column.id)}`;

function columnDefinition(column: ColumnSchema): Sql {
  const type = columnType(column.type);
  const check = type.check?.(ident(column.physical), column.options);
  return join(
    [
      sql`${ident(column.physical)} ${type.physical(column.options)}`,
      ...(column.default === null ? [] : [sql`default ${literal(String(column.default))}`]),
      ...(column.required ? [sql`not null`] : []),
      ...(check ? [sql`check (${check})`] : []),
    ],
    sql` `,
  );
}

function columnExtras(table: TableSchema, column: ColumnSchema): Sql[] {
  return [
    commentColumn(table, column),
    ...(column.unique
      ? [
          sql`create unique index ${ident(uniqueIndexName(table, column))} on ${tableName(table)} (${join([ident(column.physical)], comma)}) where _deleted_at is null`,
        ]
      : []),
  ];
}

/** Gives a table another physical name; its indexes and its log do not care. */
export const renameTable = (table: TableSchema, to: string): Sql =>
  sql`alter table ${tableName(table)} rename to ${ident(to)}`;
