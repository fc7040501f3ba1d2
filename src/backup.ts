import path from 'node:path';
import { isForPeople, prepareGround } from './boot.js';
import { projectRoot, type AppConfig } from './config/index.js';
import { BackupError, restoreBackup, takeBackup } from './database/backup/index.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';

/** `npm run backup -- [folder]` and `npm run restore -- <folder>`: both databases and the attached files; a backup beside running servers. */

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

async function restore(config: AppConfig, folder: string | undefined): Promise<void> {
  if (folder === undefined) throw new BackupError('Name the folder of the backup: npm run restore -- <folder>.');
  const { manifest, warnings } = await restoreBackup(config, path.resolve(projectRoot, folder));
  say(`Restored what was backed up at ${manifest.takenAt}: ${manifest.bases} bases, ${manifest.tables} tables.`);
  say('Every log has a new epoch: clients that come back are told to read anew. Start the servers now.');
  for (const warning of warnings) say(`Warning: ${warning}`);
}

async function main([command, folder]: readonly string[]): Promise<void> {
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    await checkDatabases(config);
    if (command === 'backup') await backup(config, folder);
    else if (command === 'restore') await restore(config, folder);
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
