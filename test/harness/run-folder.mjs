/** One folder per test run, for everything that its servers keep on disk; and the tidying up after runs that were killed. */
import { mkdtempSync, chmodSync, readFileSync, readdirSync, rmSync, existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const PREFIX = 'live-tables-test-';

/** Makes the folder. Its name holds our process id, so that a later run can tell whether we still live. */
export function makeRunFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user, who has to get in
  return folder;
}

/** Ends the servers of dead runs (each works inside its own folder, so a stranger is never hit) and removes their folders. */
export function sweepDeadRuns({ isAlive, servesCluster }) {
  for (const name of readdirSync(os.tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!owner || isAlive(owner)) continue;
    const folder = path.join(os.tmpdir(), name);
    stopServers(folder, servesCluster);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends at once whatever still serves from inside the folder of a run. */
export function stopServers(folder, servesCluster) {
  for (const server of foldersIn(folder)) stopServerOf(server, servesCluster);
}

function foldersIn(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [path.join(folder, entry.name)] : [],
    );
  } catch {
    return [];
  }
}

/** A server leaves its process id as the first line of postmaster.pid (PostgreSQL) or pid (everything that we start). */
function stopServerOf(folder, servesCluster) {
  for (const name of ['postmaster.pid', 'pid']) {
    const file = path.join(folder, name);
    const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
    if (pid > 0 && servesCluster(pid, folder)) process.kill(pid, name === 'pid' ? 'SIGKILL' : 'SIGQUIT');
  }
}
