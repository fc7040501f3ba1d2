import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import { incarnationOf, isAlive } from './process-identity.js';

/** Who uses a data folder. */
export interface Holder {
  readonly pid: number;
  /** Tells it from a later process with the same id. */
  readonly incarnation: string;
  /** Where it answers, once it does. */
  readonly address?: string;
}

export interface FolderLock {
  /** Tells whoever comes second where the first one answers. */
  announce(address: string): void;
  release(): void;
}

const fileOf = (dataDir: string) => path.join(dataDir, 'server.lock');

/** The living process that uses the folder, if there is one. */
export function holderOf(dataDir: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Holder;
    return isAlive(holder.pid) && incarnationOf(holder.pid) === holder.incarnation ? holder : undefined;
  } catch {
    return undefined; // no file, or one that was cut off while it was written
  }
}

/** Takes the folder for this process. Throws {@link EmbeddedError} while another one has it; a dead one's lock is taken over. */
export function lockFolder(dataDir: string): FolderLock {
  const file = fileOf(dataDir);
  const self: Holder = { pid: process.pid, incarnation: incarnationOf(process.pid) };
  for (let attempt = 0; ; attempt += 1) {
    const holder = holderOf(dataDir);
    if (holder) throw new EmbeddedError(inUse(dataDir, holder));
    if (attempt > 0) takeAway(file);
    try {
      writeFileSync(file, JSON.stringify(self), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 20) throw error;
    }
  }
  return {
    announce: (address) => {
      const draft = `${file}.${process.pid}`;
      writeFileSync(draft, JSON.stringify({ ...self, address }));
      renameSync(draft, file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

/** Moves the file of a dead process away; of two that try, one succeeds, the other finds nothing or a living holder. */
function takeAway(file: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    rmSync(aside);
  } catch {
    // somebody else was faster
  }
}

const inUse = (dataDir: string, { pid, address }: Holder) =>
  `Live Tables already runs in this folder (process ${pid}${address === undefined ? '' : `, ${address}`}, data in ${dataDir}): use that one, stop it first, or set DATA_DIR and PORT for a second one.`;
