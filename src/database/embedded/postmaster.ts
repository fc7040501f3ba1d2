import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError, codeOf } from './embedded-error.js';
import { servesCluster, within } from './process-identity.js';

/** What a running server writes about itself into `postmaster.pid` (pg_ctl reads the same lines). */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

const fileOf = (cluster: string) => path.join(cluster, 'postmaster.pid');

/** The content of `postmaster.pid`, whether or not that process still lives; undefined without a (complete) file. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  let lines: readonly string[];
  try {
    lines = readFileSync(fileOf(cluster), 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new EmbeddedError(
      `${cluster} cannot be read (${codeOf(error)}): start as the user who made it, or set DATA_DIR to another folder.`,
      error,
    );
  }
  const pid = Number(lines[0]);
  return pid > 0 ? { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' } : undefined;
}

/** The server that runs on this cluster now. */
export function runningPostmaster(cluster: string): Postmaster | undefined {
  const found = readPostmaster(cluster);
  return found && servesCluster(found.pid, cluster) ? found : undefined;
}

/**
 * Ends what an earlier process of ours left behind when it was killed: its server, or the `postmaster.pid` of a dead one
 * (its number may belong to a stranger by now, and PostgreSQL would then refuse to start).
 */
export async function clearLeftovers(cluster: string): Promise<'nothing' | 'stopped'> {
  const orphan = runningPostmaster(cluster);
  if (!orphan) {
    if (readPostmaster(cluster)) rmSync(fileOf(cluster), { force: true });
    return 'nothing';
  }
  await stopPostmaster(orphan.pid, cluster);
  return 'stopped';
}

/**
 * Fast shutdown (SIGINT: open transactions are rolled back, data is flushed); when it takes too long, immediate shutdown
 * (SIGQUIT: the next start replays the log, nothing committed is lost), at last SIGKILL. All in about `ms`.
 */
export async function stopPostmaster(pid: number, cluster: string, ms = 10_000): Promise<void> {
  const steps = [
    ['SIGINT', ms * 0.7],
    ['SIGQUIT', ms * 0.2],
    ['SIGKILL', 500],
  ] as const;
  for (const [signal, patience] of steps) {
    if (!servesCluster(pid, cluster)) return;
    signalPostmaster(pid, signal);
    // Asked by cluster, not by id: where nobody reaps (a container's first process), the dead keep their id.
    if (await within(patience, () => !servesCluster(pid, cluster))) return;
  }
  throw new EmbeddedError(
    `The embedded PostgreSQL (process ${pid}) does not stop: end it by hand (kill -9 ${pid}) and start again.`,
  );
}

function signalPostmaster(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return; // ended in between
    throw new EmbeddedError(
      `The embedded PostgreSQL (process ${pid}) belongs to another user: start as that user, or set DATA_DIR to another folder.`,
      error,
    );
  }
}
