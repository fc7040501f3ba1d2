import path from 'node:path';
import pg from 'pg';
import type { AppConfig, PostgresSettings } from '../../config/index.js';
import { BASES, copyFiles, keyIdOf, majorOf } from './backup.js';
import { DUMPS, FILES, readManifest, type Manifest } from './manifest.js';
import { BackupError, programFor, runProgram } from './programs.js';
import { patient } from './snapshots.js';

/** What a restore could not do, in words for the person at the terminal. */
export interface Restored {
  readonly manifest: Manifest;
  readonly warnings: readonly string[];
}

/**
 * Brings a backup into two databases that are empty, and its files into the folder of files. Every log gets a new epoch, so that a client which
 * knows later numbers than the backup has is told to read anew instead of waiting for them, or taking others for them.
 * @throws BackupError
 */
export async function restoreBackup(config: AppConfig, folder: string): Promise<Restored> {
  const manifest = await readManifest(folder);
  for (const settings of [config.mainDb, config.miniDb]) await assertEmpty(settings);
  // The main database last: as long as it is empty, no server finds the rows, whose logs have their old epochs at first.
  await load('mini', config.miniDb, folder);
  await renewEpochs(config.miniDb);
  if (!('bucket' in manifest.files)) await copyFiles(path.join(folder, FILES), config.files.directory);
  await load('main', config.mainDb, folder);
  return { manifest, warnings: warningsOf(config, manifest) };
}

/** Whole or not at all. Owners and rights are those of a start (see `adoptBases`). */
async function load(which: 'main' | 'mini', settings: PostgresSettings, folder: string): Promise<void> {
  const program = await withClient(settings, async (client) => programFor('pg_restore', await majorOf(client)));
  const file = path.join(folder, DUMPS[which]);
  await runProgram(
    program,
    [
      ...['--no-owner', '--no-acl', '--exit-on-error', '--single-transaction'],
      ...[`--dbname=${settings.database}`, file],
    ],
    settings,
  );
}

async function assertEmpty(settings: PostgresSettings): Promise<void> {
  const found = await withClient(settings, (client) =>
    client.query<{ name: string }>(
      `select n.nspname || '.' || relname as name from pg_class join pg_namespace n on n.oid = relnamespace
        where relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
          and not exists (select from pg_depend d where d.objid = pg_class.oid and d.deptype = 'e') limit 1`,
    ),
  );
  const [table] = found.rows;
  if (table)
    throw new BackupError(
      `The database ${settings.database} is not empty (it has ${table.name}): stop the servers, make a new one (create database …) and name that.`,
    );
}

async function renewEpochs(settings: PostgresSettings): Promise<void> {
  await withClient(settings, async (client) => {
    await client.query('begin');
    const { rows } = await client.query<{ schema: string }>(BASES);
    for (const { schema } of rows)
      await client.query(`update ${client.escapeIdentifier(schema)}._stream set epoch = gen_random_uuid()`);
    await client.query('commit');
  });
}

/** A session without limits of time, for as long as the work takes. */
export async function withClient<T>(settings: PostgresSettings, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(patient(settings));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function warningsOf(config: AppConfig, { files, encryptionKeyId }: Manifest): string[] {
  const warnings: string[] = [];
  if (![config.encryptionKey, ...config.previousEncryptionKeys].some((key) => keyIdOf(key) === encryptionKeyId))
    warnings.push(
      'The backup was taken under another ENCRYPTION_KEY: add that one to ENCRYPTION_KEYS_PREVIOUS, or passwords of connections cannot be read.',
    );
  const bucket = config.files.s3?.bucket;
  if ('bucket' in files && files.bucket !== bucket)
    warnings.push(`Attached files are in the bucket ${files.bucket}, which these settings do not name.`);
  if (!('bucket' in files) && bucket !== undefined)
    warnings.push(`Attached files were put into ${config.files.directory}: copy them into the bucket ${bucket}.`);
  return warnings;
}
