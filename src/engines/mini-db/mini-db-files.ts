import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow } from '../../database/mini/index.js';
import { empty, ident, join, sql, toStatement, value, type Sql } from '../../query/index.js';
import { pgError } from './pg-errors.js';

/** A file before its bytes have arrived. */
export interface AnnouncedFile {
  readonly id: Id;
  /** The table through which it was uploaded; any row of its base may hold it. */
  readonly tableId: Id;
  readonly name: string;
  readonly mimeType: string;
  /** Where its bytes are kept. */
  readonly storageKey: string;
  /** Null: nobody that could be named. */
  readonly createdBy: Id | null;
}

/** What is known of a file's bytes when they are stored. */
export interface FileContent {
  readonly id: Id;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A file that is there. */
export type StoredFile = AnnouncedFile & FileContent;

/** Whose bytes are to be removed. */
export type RemovedFile = Pick<AnnouncedFile, 'id' | 'storageKey'>;

/** Rows hold ids of files here: names in the database. */
export interface FileColumn {
  readonly table: string;
  readonly column: string;
}

const COLUMNS = sql`id, table_id, name, mime_type, storage_key, created_by, size, sha256`;
/** Stored, and not on its way out. */
const IS_THERE = sql`stored_at is not null and removed_at is null`;
/** For so long a file stays that no row holds: it was uploaded for a row to come, or an undo brings back the row that held it. */
const GRACE = sql`interval '24 hours'`;

/**
 * The table `_file` of each base. A file is announced first, then its bytes are stored, then it is there; to remove it, it is
 * marked, then its bytes go, then its row. So there is never an object without a row, whenever a process dies.
 * A base whose schema is gone has no files.
 */
@Injectable()
export class MiniDbFiles {
  constructor(private readonly database: MiniDatabase) {}

  /** @returns false when the base is gone */
  async announce(schema: string, file: AnnouncedFile): Promise<boolean> {
    const rows = await this
      .query(sql`insert into ${files(schema)} (id, table_id, name, mime_type, storage_key, created_by, created_at)
      values (${value(file.id, 'uuid')}, ${value(file.tableId, 'uuid')}, ${value(file.name, 'text')}, ${value(file.mimeType, 'text')},
        ${value(file.storageKey, 'text')}, ${value(file.createdBy, 'uuid')}, now())
      on conflict (id) do update set created_at = now() where excluded.storage_key = _file.storage_key returning id`);
    return rows.length > 0;
  }

  /** Their bytes are stored: from now on they are there, all of them or, when one is gone meanwhile, none (false). */
  async complete(schema: string, contents: readonly FileContent[]): Promise<boolean> {
    const given = sql`unnest(${ids(contents)}, ${value(
      contents.map(({ size }) => size),
      'bigint[]',
    )}, ${value(
      contents.map(({ sha256 }) => sha256),
      'text[]',
    )}) as given (id, size, sha256)`;
    const rows = await this
      .query(sql`with mine as (select id from ${files(schema)} where id = any(${ids(contents)}) and removed_at is null for update)
      update ${files(schema)} as file set size = given.size, sha256 = given.sha256, stored_at = now(), unreferenced_since = now()
      from ${given} where file.id = given.id and (select count(*) from mine) = ${value(contents.length, 'bigint')} returning file.id`);
    return rows.length === contents.length;
  }

  /** Marks them as on their way out, whatever their state. */
  async giveUp(schema: string, given: readonly { readonly id: Id }[]): Promise<void> {
    await this.query(
      sql`update ${files(schema)} set removed_at = now() where id = any(${ids(given)}) and removed_at is null`,
    );
  }

  async find(schema: string, id: Id): Promise<StoredFile | undefined> {
    const [row] = await this.query(
      sql`select ${COLUMNS} from ${files(schema)} where id = ${value(id, 'uuid')} and ${IS_THERE}`,
    );
    return row && toFile(row);
  }

  /** All files of a base, or those of these ids. */
  async list(schema: string, only?: readonly Id[]): Promise<StoredFile[]> {
    const chosen = only ? sql` and id = any(${value([...only], 'uuid[]')})` : empty;
    const rows = await this.query(sql`select ${COLUMNS} from ${files(schema)} where ${IS_THERE}${chosen} order by id`);
    return rows.map(toFile);
  }

  /**
   * Those of the ids that are files of the base. What no row held until now is kept for its time of grace from here on, so that it
   * cannot be removed between this question and the write that it was asked for.
   */
  async known(schema: string, given: readonly Id[]): Promise<Set<Id>> {
    const asked = sql`id = any(${value([...given], 'uuid[]')}) and ${IS_THERE}`;
    const rows = await this
      .query(sql`with kept as (update ${files(schema)} set unreferenced_since = now() where ${asked} and unreferenced_since is not null returning id)
      select id from kept union all select id from ${files(schema)} where ${asked} and unreferenced_since is null`);
    return new Set(rows.map(([id]) => text(id)));
  }

  /** Whether the base has or had any that are not removed. */
  async hasAny(schema: string): Promise<boolean> {
    return (await this.query(sql`select from ${files(schema)} limit 1`)).length > 0;
  }

  /** Notes since when no row holds a file, and forgets it for those that a row holds again. */
  async mark(schema: string, columns: readonly FileColumn[]): Promise<void> {
    await this.database.query(
      toStatement(sql`with referenced as (${referenced(schema, columns)}),
      judged as (select id, id in (select id from referenced) as held from ${files(schema)} where ${IS_THERE})
      update ${files(schema)} as file set unreferenced_since = case when not held then now() end
      from judged where judged.id = file.id and held = (unreferenced_since is not null)`),
    );
  }

  /**
   * Marks as on their way out what no row has held for long enough, and what was announced and never came. Whether a row holds it
   * is asked again here; a write that asks for a file at the same moment ({@link known}) either keeps it or does not find it.
   */
  async expire(schema: string, columns: readonly FileColumn[]): Promise<void> {
    await this.database.query(
      toStatement(sql`with referenced as (${referenced(schema, columns)})
      update ${files(schema)} set removed_at = now() where removed_at is null and (
        (stored_at is null and created_at < now() - ${GRACE})
        or (unreferenced_since < now() - ${GRACE} and id not in (select id from referenced)))`),
    );
  }

  /** What is on its way out; at most `limit`, the longest first. */
  async removed(schema: string, limit: number): Promise<RemovedFile[]> {
    const rows = await this.query(
      sql`select id, storage_key from ${files(schema)} where removed_at is not null order by removed_at, id limit ${value(limit, 'bigint')}`,
    );
    return rows.map(([id, storageKey]) => ({ id: text(id), storageKey: text(storageKey) }));
  }

  /** Its bytes are gone: nothing is left of it. */
  async forget(schema: string, id: Id): Promise<void> {
    await this.query(sql`delete from ${files(schema)} where id = ${value(id, 'uuid')} and removed_at is not null`);
  }

  /** Its bytes could not be removed: others come first at the next try. */
  async postpone(schema: string, id: Id): Promise<void> {
    await this.query(
      sql`update ${files(schema)} set removed_at = now() where id = ${value(id, 'uuid')} and removed_at is not null`,
    );
  }

  /** Takes on the sweep of a base, unless somebody did in the last `minutes`. */
  async claimSweep(schema: string, minutes: number): Promise<boolean> {
    const rows = await this
      .query(sql`insert into _live_tables_file_sweeps as sweep (schema_name, swept_at) values (${value(schema, 'text')}, now())
      on conflict (schema_name) do update set swept_at = now()
      where sweep.swept_at < now() - make_interval(mins => ${value(minutes, 'integer')}) returning 1`);
    return rows.length > 0;
  }

  /** Forgets that a base was ever swept. */
  async forgetSweeps(schema: string): Promise<void> {
    await this.query(sql`delete from _live_tables_file_sweeps where schema_name = ${value(schema, 'text')}`);
  }

  /** Nothing where the schema is gone. */
  private async query(statement: Sql): Promise<PgRow[]> {
    try {
      return await this.database.query(toStatement(statement));
    } catch (error) {
      if (GONE.has(pgError(error)?.code ?? '')) return [];
      throw error;
    }
  }
}

/** Undefined table, undefined schema (PostgreSQL manual, appendix A). */
const GONE: ReadonlySet<string> = new Set(['42P01', '3F000']);

const files = (schema: string): Sql => ident(schema, '_file');

const ids = (given: readonly { readonly id: Id }[]): Sql =>
  value(
    given.map(({ id }) => id),
    'uuid[]',
  );

/** The ids of all files that rows hold, rows in the trash too. */
function referenced(schema: string, columns: readonly FileColumn[]): Sql {
  if (columns.length === 0) return sql`select null::uuid as id where false`;
  const each = columns.map(
    ({ table, column }) =>
      sql`select id from ${ident(schema, table)} as t, unnest(t.${ident(column)}) as id where id is not null`,
  );
  return join(each, sql` union `);
}

/** Of a column that is never null. */
const text = (given: string | null | undefined): string => given ?? '';

const toFile = ([id, tableId, name, mimeType, storageKey, createdBy = null, size, sha256]: PgRow): StoredFile => ({
  id: text(id),
  tableId: text(tableId),
  name: text(name),
  mimeType: text(mimeType),
  storageKey: text(storageKey),
  createdBy,
  size: Number(size),
  sha256: text(sha256),
});
