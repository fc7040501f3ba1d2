import 'reflect-metadata';
import { userInfo } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isForPeople, prepareGround } from './boot.js';
import { projectRoot, type AppConfig } from './config/index.js';
import { BackupError, restoreBackup, takeBackup } from './database/backup/index.js';
import { useEmbedded } from './database/embedded/index.js';
import { systemActor } from './database/main/index.js';
import { checkDatabases } from './database/preflight.js';
import { isId } from './common/index.js';
import { openBaseRestore } from './modules/tables/index.js';
import { RESTORABLE_VIEWS } from './modules/views/index.js';

/**
 * `npm run backup -- [folder]` and `npm run restore -- <folder>`: both databases and the attached files; a backup beside running servers.
 * `npm run restore -- <folder> --base <id>`: one base is what it was at the backup, also beside running servers.
 */

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function backup(config: AppConfig, wanted: string | undefined): Promise<void> {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const folder = path.resolve(projectRoot, wanted ?? path.join('backups', stamp));
  const { bases, tables, files } = await takeBackup(config, folder);
  say(`${folder}: both databases with ${bases} bases and ${tables} tables.`);
  say(
    'bucket' in files
      ? `Attached files are in the bucket ${files.bucket} and are not in the backup: keep its versions, or copy it now.`
      : `${files.count} attached files, ${files.bytes} bytes.`,
  );
  say('ENCRYPTION_KEY and JWT_SECRET are not in it: keep them elsewhere.');
}

/** @throws BackupError */
function wishOf(args: string[]): { readonly positionals: readonly string[]; readonly base?: string } {
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: { base: { type: 'string' } } });
    return { positionals, ...values };
  } catch (error) {
    throw new BackupError(error instanceof Error ? error.message : 'The arguments cannot be read.');
  }
}

/** @throws BackupError */
function named(folder: string | undefined): string {
  if (folder === undefined) throw new BackupError('Name the folder of the backup: npm run restore -- <folder>.');
  return path.resolve(projectRoot, folder);
}

async function restore(config: AppConfig, folder: string): Promise<void> {
  const { manifest, warnings } = await restoreBackup(config, folder);
  say(`Restored what was backed up at ${manifest.takenAt}: ${manifest.bases} bases, ${manifest.tables} tables.`);
  say('Every log has a new epoch: clients that come back are told to read anew. Start the servers now.');
  for (const warning of warnings) say(`Warning: ${warning}`);
}

async function restoreBase(config: AppConfig, folder: string, baseId: string): Promise<void> {
  const refusal = `${baseId} is no id of a base.`;
  if (!isId(baseId)) throw new BackupError(refusal);
  const open = await openBaseRestore(config, RESTORABLE_VIEWS);
  try {
    const by = { ...systemActor('restore'), name: `operator ${userInfo().username}` };
    const { manifest, name, schema, tables, warnings } = await open.restore.restore(folder, baseId, by);
    say(`The base ${name} (${schema}, ${tables} tables) is what was backed up at ${manifest.takenAt}.`);
    say('Its logs have new epochs: clients that follow them are told to read anew. All else was left as it is.');
    for (const warning of warnings) say(`Note: ${warning}`);
  } finally {
    await open.close();
  }
}

async function main(args: string[]): Promise<void> {
  const { positionals, base } = wishOf(args);
  const [command, folder] = positionals;
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    await checkDatabases(config);
    if (command === 'backup' && base !== undefined)
      throw new BackupError('A backup holds all bases: --base is for npm run restore.');
    if (command === 'backup') await backup(config, folder);
    else if (command === 'restore' && base !== undefined) await restoreBase(config, named(folder), base);
    else if (command === 'restore') await restore(config, named(folder));
    else throw new BackupError('Say backup or restore.');
  } finally {
    await embedded?.stop();
  }
}

try {
  await main(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  const told = isForPeople(error) || error instanceof BackupError;
  process.stderr.write(`${told ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(1);
}
