import { constants } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ObjectMissing, StorageError, type ByteRange, type FileStorage } from './file-storage.js';

/** What is not whole yet. */
const PART = '.part';

/**
 * A folder: one below it for each base, in it one file for each key. A file is written under another name, flushed to the disk and then
 * renamed, so that what has a key is whole, also after a power cut.
 */
export class LocalStorage implements FileStorage {
  constructor(private readonly root: string) {}

  async put(key: string, content: Readable): Promise<void> {
    const place = this.place(key);
    await telling('write', () => mkdir(path.dirname(place), { recursive: true, mode: 0o700 }));
    const handle = await telling('write', () => open(place + PART, 'w', 0o600));
    try {
      await write(handle, content);
      await telling('write', () => rename(place + PART, place));
      await telling('write', () => flushFolder(path.dirname(place)));
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(place + PART, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const handle = await missing(key, 'read', () => open(this.place(key), 'r'));
    return handle.createReadStream(range ? { start: range.start, end: range.end } : {});
  }

  async copy(from: string, to: string): Promise<void> {
    const place = this.place(to);
    await telling('write', () => mkdir(path.dirname(place), { recursive: true, mode: 0o700 }));
    // Where the file system can, both share their blocks.
    await missing(from, 'copy', () => copyFile(this.place(from), place + PART, constants.COPYFILE_FICLONE));
    await telling('write', async () => {
      const handle = await open(place + PART, 'r+');
      await handle.sync().finally(() => handle.close());
      await rename(place + PART, place);
      await flushFolder(path.dirname(place));
    });
  }

  async remove(key: string): Promise<void> {
    await telling('remove', async () => {
      await rm(this.place(key), { force: true });
      await rm(this.place(key) + PART, { force: true });
    });
  }

  async removeAll(schema: string): Promise<void> {
    if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`${schema} is no schema of a base`);
    await telling('remove', () => rm(path.join(this.root, schema), { recursive: true, force: true }));
  }

  private place(key: string): string {
    return path.join(this.root, key);
  }
}

/** An error of the content passes through as it is; one of the disk is the store's. */
async function write(handle: FileHandle, content: Readable): Promise<void> {
  let failed: Error | undefined;
  content.once('error', (error) => (failed = error));
  try {
    await pipeline(content, handle.createWriteStream({ flush: true }));
  } catch (error) {
    throw failed ?? new StorageError('write', error);
  }
}

/** A new name is kept through a power cut only when its folder is flushed, too. Windows cannot, and need not. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

async function telling<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StorageError(what, error);
  }
}

async function missing<T>(key: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new ObjectMissing(key) : new StorageError(what, error);
  }
}
