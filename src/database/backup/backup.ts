import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import type { AppConfig, PostgresSettings } from '../../config/index.js';
import { DUMPS, FILES, MANIFEST, sha256Of, type Manifest } from './manifest.js';
import { BackupError, programFor, runProgram } from './programs.js';
import { snapshotPair, type Snapshot } from './snapshots.js';

/** Tells keys apart, and nothing about them: a hash of 256 random bits. */
export const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update('live-tables backup').update(key).digest('hex').slice(0, 12);

/**
 * Writes both databases, as they were at one moment, and the attached files into a new folder. Servers go on meanwhile, except that a structure change may
 * wait for a moment. The folder gets its name when it is complete.
 * @throws BackupError
 */
export async function takeBackup(config: AppConfig, folder: string): Promise<Manifest> {
  if (existsSync(folder)) throw new BackupError(`${folder} is there already: name a folder that is not.`);
  const draft = `${folder}.partial`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const manifest = await fill(config, draft);
    await writeFile(path.join(draft, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(draft, folder);
    return manifest;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function fill(config: AppConfig, folder: string): Promise<Manifest> {
  const { mainDb, miniDb, files, encryptionKey, version } = config;
  const databases = await snapshotPair(mainDb, miniDb, async (main, mini) => {
    const postgres = { main: await majorOf(main.client), mini: await majorOf(mini.client) };
    await Promise.all([
      dump(mainDb, main, postgres.main, path.join(folder, DUMPS.main)),
      dump(miniDb, mini, postgres.mini, path.join(folder, DUMPS.mini)),
    ]);
    return { postgres, ...(await migrationsOf(main.client, mini.client)), ...(await basesOf(mini.client)) };
  });
  return {
    format: 1,
    version,
    takenAt: new Date().toISOString(),
    ...databases,
    sha256: {
      main: await sha256Of(path.join(folder, DUMPS.main)),
      mini: await sha256Of(path.join(folder, DUMPS.mini)),
    },
    // Behind the rows: then every file that they name is there. It is not removed meanwhile, for that takes a day without a row.
    files: files.s3 ? { bucket: files.s3.bucket } : await copyFiles(files.directory, path.join(folder, FILES)),
    encryptionKeyId: keyIdOf(encryptionKey),
  };
}

const dump = (settings: PostgresSettings, { id }: Snapshot, major: number, file: string): Promise<void> =>
  runProgram(programFor('pg_dump', major), ['--format=custom', `--snapshot=${id}`, `--file=${file}`], settings);

export async function majorOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int / 10000 as version",
  );
  return rows[0]?.version ?? 0;
}

/** The newest of each database. */
export async function migrationsOf(main: pg.Client, mini: pg.Client): Promise<Pick<Manifest, 'migrations'>> {
  const ofMain = await main.query<{ name: string }>('select name from _migrations order by timestamp desc limit 1');
  const ofMini = await mini.query<{ id: number }>('select max(id) as id from _live_tables_migrations');
  return { migrations: { main: ofMain.rows[0]?.name ?? '', mini: ofMini.rows[0]?.id ?? 0 } };
}

/** Schemas of bases, known by their `_stream`. */
export const BASES = `select nspname as schema from pg_class join pg_namespace n on n.oid = relnamespace where relname = '_stream' and relkind = 'r'`;

async function basesOf(mini: pg.Client): Promise<Pick<Manifest, 'bases' | 'tables'>> {
  const { rows } = await mini.query<{ schema: string }>(BASES);
  let tables = 0;
  for (const { schema } of rows) {
    const found = await mini.query<{ count: string }>(`select count(*) from ${mini.escapeIdentifier(schema)}._stream`);
    tables += Number(found.rows[0]?.count ?? 0);
  }
  return { bases: rows.length, tables };
}

/** Copies what is whole; uploads under way have other names and are left out. A folder that is not there holds nothing. */
export async function copyFiles(from: string, to: string): Promise<{ readonly count: number; readonly bytes: number }> {
  let [count, bytes] = [0, 0];
  await mkdir(to, { recursive: true });
  const entries = existsSync(from) ? await readdir(from, { withFileTypes: true, recursive: true }) : [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const source = path.join(entry.parentPath, entry.name);
    const target = path.join(to, path.relative(from, source));
    await mkdir(path.dirname(target), { recursive: true });
    try {
      await copyFile(source, target);
      bytes += (await stat(target)).size;
      count++;
    } catch (error) {
      // An upload that ended meanwhile, or a file that nobody held for a day.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return { count, bytes };
}
