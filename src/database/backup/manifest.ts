import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BackupError } from './programs.js';

/** What stands in `backup.json`, which is written last: a folder without it is no backup. */
export interface Manifest {
  readonly format: 1;
  /** Of the product. */
  readonly version: string;
  readonly takenAt: string;
  /** Major version of PostgreSQL that the dumps come from. */
  readonly postgres: { readonly main: number; readonly mini: number };
  /** Newest migrations. */
  readonly migrations: { readonly main: string; readonly mini: number };
  readonly bases: number;
  readonly tables: number;
  /** SHA-256 of the dumps, in hexadecimal. */
  readonly sha256: { readonly main: string; readonly mini: string };
  /** Attached files that were copied, or the bucket where they are. */
  readonly files: { readonly count: number; readonly bytes: number } | { readonly bucket: string };
  /** Tells keys apart, and nothing about them. */
  readonly encryptionKeyId: string;
}

export const DUMPS = { main: 'main.dump', mini: 'mini-db.dump' } as const;
export const FILES = 'files';
export const MANIFEST = 'backup.json';

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** @throws BackupError the folder holds no backup, or not the one that was taken */
export async function readManifest(folder: string): Promise<Manifest> {
  const manifest = parsed(path.join(folder, MANIFEST));
  for (const which of ['main', 'mini'] as const)
    if ((await sha256Of(path.join(folder, DUMPS[which]))) !== manifest.sha256[which])
      throw new BackupError(`${path.join(folder, DUMPS[which])} is not what was backed up: its SHA-256 is another.`);
  return manifest;
}

function parsed(file: string): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Partial<Manifest>;
  } catch {
    throw new BackupError(`${file} cannot be read: name the folder of a backup that was completed.`);
  }
  if (manifest.format !== 1) throw new BackupError(`${file} is of a format that this version does not know.`);
  return manifest as Manifest;
}
