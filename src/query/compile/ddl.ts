import type { ColumnSchema, TableSchema } from '../schema.js';
import { isStored, kindOf } from '../kind.js';
import { columnType } from '../types/index.js';
import { comma, empty, ident, join, literal, sql, value, type Sql } from '../sql.js';
import { digestOf, entryText, nextLink, sharedText, type EntryPart, type SharedPart } from './chain.js';
import { createImportMarks } from './import-marks.js';
import { createAnswers } from './kept-answers.js';
import { defaultValue, physicalType } from './physical.js';
import { streamName, tableName } from './read.js';
import type { WriteContext } from '../write-plan.js';

/**
 * The tables that every base carries in its own schema: `_stream` (one counter for each table, the newest link of its log, and the one that the
 * last statement built upon), `_change` (the change log), `_anchor` (which link of a log the first one that is kept builds upon, and up to where it was forgotten), `_applied` (which schema operations took place), `_file` (what is attached to rows) and `_idempotency` (answers of writes that may be repeated). Nothing of a base lives anywhere else
 * in the mini-DB.
 */
export function createBaseSchema(schema: string, displayName: string): Sql[] {
  const name = (table: string): Sql => ident(schema, table);
  return [
    sql`create schema ${ident(schema)}`,
    commentSchema(schema, displayName),
    // Before anything is made in it: what comes later gets its grants by itself.
    sql`select public._live_tables_open_base(${literal(schema)})`,
    // fillfactor: the counter is updated by every write; room on its page lets PostgreSQL do so without touching the index (HOT).
    sql`create table ${name('_stream')} (table_id uuid primary key, epoch uuid not null, seq bigint not null, schema_version integer not null,
      head bytea not null default '', prior bytea not null default '') with (fillfactor = 10)`,
    sql`create table ${name('_change')} (
      table_id uuid not null, seq bigint not null, ord integer not null, row_id uuid, version integer,
      op text not null check (op in ('create', 'update', 'delete', 'restore', 'schema')),
      before json, after json, at timestamptz not null, actor_id uuid, actor_name text not null, client_id text,
      source text not null, request_id text not null, change_set uuid not null, revert_of uuid, schema_version integer not null, ip text, hash bytea,
      primary key (table_id, seq, ord))`,
    sql`create index on ${name('_change')} (row_id, version)`,
    // For the audit log, which reads all tables of a base by time. Not more than the time: what is equal is stored once, and new entries go to its end.
    sql`create index on ${name('_change')} (at)`,
    sql`create table ${name('_anchor')} (table_id uuid primary key, seq bigint not null, hash bytea not null, forgotten bigint not null)`,
    sql`create table ${name('_applied')} (op_id uuid primary key, outcome text not null check (outcome in ('applied', 'cancelled')), at timestamptz not null default now())`,
    // Bases from before there were files get the same by a migration (src/database/mini/migrate.ts).
    sql`create table ${name('_file')} (
      id uuid primary key, table_id uuid not null, name text not null, size bigint, mime_type text not null, sha256 text,
      storage_key text not null, created_at timestamptz not null, created_by uuid, stored_at timestamptz,
      unreferenced_since timestamptz, removed_at timestamptz, check (stored_at is null or (size is not null and sha256 is not null)))`,
    ...createAnswers(schema),
    ...createImportMarks(schema),
    sql`comment on table ${name('_file')} is 'Files attached to rows: what they are and where their bytes are kept.'`,
    sql`comment on table ${name('_change')} is 'Change log: every committed change, numbered without gaps for each table.'`,
    sql`comment on table ${name('_anchor')} is 'Where the hash chains of change logs begin, of which the beginning is forgotten or older than the chain.'`,
    sql`comment on table ${name('_stream')} is 'Newest number of each table''s change log, and its schema version.'`,
  ];
}

export const commentSchema = (schema: string, displayName: string): Sql =>
  sql`comment on schema ${ident(schema)} is ${literal(displayName)}`;

/** A new table with its columns and its stream. */
export function createTable(table: TableSchema & { readonly name: string }, epoch: string): Sql[] {
  return [
    sql`create table ${tableName(table)} (
      _id uuid constraint ${ident(primaryKeyName(table))} primary key, _version integer not null, _created_at timestamptz not null, _created_by uuid,
      _updated_at timestamptz not null, _updated_by uuid, _deleted_at timestamptz${join(
        table.columns.filter(isStored).map((column) => sql`, ${columnDefinition(column)}`),
        empty,
      )})`,
    sql`comment on table ${tableName(table)} is ${literal(table.name)}`,
    ...table.columns.filter(isStored).flatMap((column) => columnExtras(table, column)),
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

/**
 * Moves the stream to the next schema version, with a number and a log entry like any other change; writers that were
 * compiled for the version before are refused by the fence from here on.
 * Fails (NOT NULL on `seq`) when the version is not the expected one.
 */
export function advanceSchema(table: TableSchema, toVersion: number, context: WriteContext, change: object): Sql {
  const entry: Record<SharedPart | EntryPart, Sql> = {
    table_id: value(table.id, 'uuid'),
    ord: sql`0`,
    row_id: sql`null::uuid`,
    version: sql`null::integer`,
    op: sql`'schema'`,
    before: sql`null::json`,
    after: value(JSON.stringify(change), 'json'),
    at: sql`date_trunc('milliseconds', statement_timestamp())`,
    actor_id: value(context.actorId, 'uuid'),
    actor_name: value(context.actorName, 'text'),
    client_id: value(context.clientId ?? null, 'text'),
    ip: value(context.ip ?? null, 'text'),
    source: value(context.source, 'text'),
    request_id: value(context.requestId, 'text'),
    change_set: value(context.changeSet, 'uuid'),
    revert_of: sql`null::uuid`,
    schema_version: value(toVersion, 'integer'),
  };
  const named = (name: string): Sql => ident(name);
  const names = Object.keys(entry).map((name) => ident(name));
  const parts = Object.entries(entry).map(([name, part]) => sql`${part} as ${ident(name)}`);
  return sql`with entry as (select ${join(parts, comma)}),
digest as (select ${digestOf(sharedText(named), entryText(named))} as digest from entry),
taken as (update ${streamName(table)} s set seq = s.seq + 1, schema_version = ${value(toVersion, 'integer')}, prior = s.head,
    head = ${nextLink(sql`s.head`, sql`s.seq + 1`, sql`digest.digest`)}
  from digest where s.table_id = ${value(table.id, 'uuid')} and s.schema_version = ${value(table.schemaVersion, 'integer')} returning s.seq, s.head)
insert into ${ident(table.physical.schema, '_change')} (seq, hash, ${join(names, comma)})
select taken.seq, taken.head, entry.* from entry left join taken on true`;
}

/*
 * Indexes and tables of a schema share one space of names. Those of indexes begin with an underscore, which no key does, so
 * that no table can be named like an index; they are built from ids of ours, because PostgreSQL cuts names at 63 bytes.
 */
export const tail = (id: string): string => id.replaceAll('-', '').slice(-12);
export const primaryKeyName = (table: Pick<TableSchema, 'id'>): string => `_pk_${tail(table.id)}`;

/** Name of the index that holds a unique column. */
export const uniqueIndexName = (table: Pick<TableSchema, 'id'>, column: Pick<ColumnSchema, 'id'>): string =>
  `_uq_${tail(table.id)}_${tail(column.id)}`;

/** How the names of constraints begin that hold required columns. */
export const REQUIRED_PREFIX = '_rq_';
export const requiredCheckName = (column: ColumnSchema): string => REQUIRED_PREFIX + tail(column.id);

/** A value in every row that is not in the trash: those there may be older than the demand. NOT NULL could not tell them apart. */
export const requiredCheck = (column: ColumnSchema): Sql =>
  sql`constraint ${ident(requiredCheckName(column))} check (_deleted_at is not null or ${ident(column.physical)} is not null)`;

/** The index that holds a unique column: rows in the trash do not count. */
export const uniqueIndex = (table: TableSchema, column: ColumnSchema): Sql =>
  sql`create unique index ${ident(uniqueIndexName(table, column))} on ${tableName(table)} (${uniqueKey(column, ident(column.physical))}) where _deleted_at is null`;

/** What a unique column holds once of a cell, or of a value. */
export const uniqueKey = ({ type }: Pick<ColumnSchema, 'type'>, cell: Sql): Sql =>
  columnType(type).uniqueKey?.sql(cell) ?? cell;

/** Name of the constraint that holds what the type of a column demands of its values. */
export const checkName = (column: ColumnSchema): string => `_ck_${tail(column.id)}`;

function columnDefinition(column: ColumnSchema): Sql {
  const type = columnType(column.type);
  const initial = defaultValue(column);
  const check = kindOf(column).list ? undefined : type.check?.(ident(column.physical), column.options);
  return join(
    [
      sql`${ident(column.physical)} ${physicalType(column)}`,
      ...(initial ? [sql`default ${initial}`] : []),
      ...(type.generated ? [type.generated] : []),
      ...(column.required ? [requiredCheck(column)] : []),
      ...(check ? [sql`constraint ${ident(checkName(column))} check (${check})`] : []),
    ],
    sql` `,
  );
}

function columnExtras(table: TableSchema, column: ColumnSchema): Sql[] {
  return [commentColumn(table, column), ...(column.unique ? [uniqueIndex(table, column)] : [])];
}

/** Gives a table another physical name; its indexes and its log do not care. */
export const renameTable = (table: TableSchema, to: string): Sql =>
  sql`alter table ${tableName(table)} rename to ${ident(to)}`;
