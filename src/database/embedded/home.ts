import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { canReach, serverAccount, type Account } from './account.js';
import { findBinaries, reachableBinaries, type Binaries } from './binaries.js';
import { EmbeddedError, USE_YOUR_OWN, codeOf } from './embedded-error.js';

/** Where the cluster of one data folder is, and what runs it. */
export interface Home {
  /** `postgres` in the data folder: the cluster itself, or a link to it. */
  readonly link: string;
  /** The real data directory; it may not exist yet. */
  readonly cluster: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly log: string;
}

/** For clusters and binaries whose project the server's account cannot reach; used by root only. */
const SHELF = '/var/lib/live-tables';

/**
 * Finds the cluster of a data folder, or the place for a new one. Started by root, PostgreSQL runs as another user; where that
 * user cannot reach the project (a clone under /root, a private temporary folder), the cluster is put on a shelf outside.
 * Nobody's folders are opened up for it.
 */
export function findHome(dataDir: string): Home {
  const real = realpathSync(dataDir);
  const link = path.join(real, 'postgres');
  const account = serverAccount(link);
  const shared = { link, account, log: path.join(real, 'postgres.log') };
  try {
    const binaries = reachableBinaries(findBinaries(), account, SHELF);
    return { ...shared, binaries, cluster: existingCluster(link, account) ?? placeForNew(real, link, account) };
  } catch (error) {
    if (error instanceof EmbeddedError) throw error;
    throw new EmbeddedError(
      `PostgreSQL cannot be put in place (${codeOf(error)}): set DATA_DIR to a folder that everybody may enter, or ${USE_YOUR_OWN}.`,
      error,
    );
  }
}

function existingCluster(link: string, account: Account | undefined): string | undefined {
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (!existsSync(link))
    throw new EmbeddedError(
      `${link} points to a folder that is gone: bring it back, or delete the link to start with empty databases.`,
    );
  const cluster = realpathSync(link);
  if (account && !canReach(cluster, account))
    throw new EmbeddedError(
      `The user ${account.name}, as whom PostgreSQL runs, cannot reach ${cluster}: give it back its rights, or set DATA_DIR to another folder.`,
    );
  return cluster;
}

function placeForNew(dataDir: string, link: string, account: Account | undefined): string {
  if (!account || canReach(dataDir, account)) return link;
  // Never the place of an earlier cluster: whoever deleted the project's folder wants to start anew.
  const name = `${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-${randomBytes(3).toString('hex')}`;
  const place = path.join(SHELF, name);
  mkdirSync(place, { recursive: true });
  for (const folder of [SHELF, place]) chmodSync(folder, 0o755);
  return path.join(place, 'postgres');
}
