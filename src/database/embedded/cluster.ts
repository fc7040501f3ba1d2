import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { keepOwner } from '../../config/index.js';
import { program } from './binaries.js';
import { EmbeddedError, USE_YOUR_OWN, codeOf } from './embedded-error.js';
import type { Home } from './home.js';
import { readPostmaster } from './postmaster.js';

/** Nothing of the caller's environment may change what the server does (PGPORT, LC_*, LD_PRELOAD …). */
const environment = { LC_ALL: 'C', TZ: 'UTC' };

const identity = ({ account }: Home) => (account ? { uid: account.uid, gid: account.gid } : {});

/** Makes the cluster. It appears under its name only when it is complete, so that an interrupted attempt leaves nothing half-made. */
export function createCluster(home: Home, superuser: { readonly username: string; readonly password: string }): void {
  const draft = `${home.cluster}.new-${randomBytes(3).toString('hex')}`;
  const passwordFile = path.join(os.tmpdir(), `live-tables-${randomBytes(8).toString('hex')}`);
  removeDrafts(home.cluster);
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${superuser.password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (home.account) for (const item of [draft, passwordFile]) chownSync(item, home.account.uid, home.account.gid);
    const options = [
      `--pgdata=${draft}`,
      `--username=${superuser.username}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Text in code point order, on every machine the same.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ];
    const done = spawnSync(program(home.binaries, 'initdb'), options, {
      ...identity(home),
      env: environment,
      cwd: '/',
      encoding: 'utf8',
    });
    if (done.status !== 0)
      throw new EmbeddedError(
        `PostgreSQL could not make its data folder (${reasonOf(done)}): free disk space or set DATA_DIR, or ${USE_YOUR_OWN}.`,
      );
    renameSync(draft, home.cluster);
    if (home.link !== home.cluster) symlinkSync(home.cluster, home.link);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

function removeDrafts(cluster: string): void {
  const folder = path.dirname(cluster);
  for (const name of readdirSync(folder))
    if (name.startsWith(`${path.basename(cluster)}.new-`))
      rmSync(path.join(folder, name), { recursive: true, force: true });
}

function reasonOf(done: {
  readonly error?: Error;
  readonly stderr: string | null;
  readonly signal: string | null;
}): string {
  const lines = (done.stderr ?? '').trim().split('\n');
  return done.error
    ? codeOf(done.error)
    : (lines.find((line) => /error:|fatal:/i.test(line)) ?? lines.at(-1) ?? String(done.signal));
}

/** The port was taken by somebody else. */
export class PortTaken extends Error {}
/** Processes of a server that was killed have not all ended yet. */
export class StillEnding extends Error {}

/**
 * Starts the server and waits until it takes connections; `more` are further settings of PostgreSQL.
 * Throws {@link PortTaken}, {@link StillEnding}, or {@link EmbeddedError} with its last words.
 */
export async function launch(
  home: Home,
  port: number,
  say: (line: string) => void,
  more: Readonly<Record<string, string | number>> = {},
): Promise<ChildProcess> {
  const size = statSync(home.log, { throwIfNoEntry: false })?.size ?? 0;
  // Begun anew past 10 MB; whoever wants long logs runs a PostgreSQL of their own.
  const fd = openSync(home.log, size > 10_000_000 ? 'w' : 'a', 0o600);
  keepOwner(home.log);
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // a path may be longer than a socket's name can be
    max_connections: 120,
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...more,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // A process group of its own: Ctrl-C is for the server in front, which then stops this one in order.
  const child = spawn(program(home.binaries, 'postgres'), ['-D', home.cluster, ...options], {
    ...identity(home),
    env: environment,
    cwd: '/',
    detached: true,
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  child.unref();
  let running = false;
  const ending = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(codeOf(error)));
    // Once it runs, how it ends is not asked here any more, and the log may be gone by then.
    child.once('exit', () => resolve(running ? '' : lastWords(home.log, size > 10_000_000 ? 0 : size)));
  });
  let words: string | undefined;
  void ending.then((text) => (words = text));
  const patience = setTimeout(
    () => say('PostgreSQL replays its log after an unclean stop; this can take a while.'),
    5_000,
  );
  try {
    for (;;) {
      if (words !== undefined) throw failure(words, home.log);
      const state = readPostmaster(home.cluster);
      if (state?.pid === child.pid && state?.ready) {
        running = true;
        return child;
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  } finally {
    clearTimeout(patience);
  }
}

function lastWords(log: string, from: number): string {
  const lines = readFileSync(log).subarray(from).toString('utf8').split('\n');
  const telling = lines.filter((line) => /FATAL|PANIC|could not bind/.test(line));
  return (telling.length > 0 ? telling : lines.filter((line) => line !== '').slice(-1)).join(' ');
}

function failure(words: string, log: string): Error {
  if (/could not bind|Address already in use/.test(words)) return new PortTaken(words);
  if (words.includes('pre-existing shared memory block')) return new StillEnding(words);
  const reason = words.replace(/^.*?(FATAL|PANIC):\s*/, '').slice(0, 300) || 'it ended without a word';
  return new EmbeddedError(`The embedded PostgreSQL did not start (${reason}): see ${log}, or ${USE_YOUR_OWN}.`);
}

/** Gives the superuser the password that we know, by the single-user mode that only the cluster's owner can start. */
export function resetSuperuser(
  home: Home,
  { username, password }: { readonly username: string; readonly password: string },
): void {
  if (!/^[a-z_]+$/.test(username) || !/^[0-9a-f]+$/.test(password))
    throw new EmbeddedError('secrets.json is not as it was made: restore it.');
  const done = spawnSync(program(home.binaries, 'postgres'), ['--single', '-D', home.cluster, 'postgres'], {
    ...identity(home),
    env: environment,
    cwd: '/',
    encoding: 'utf8',
    // Single-user mode knows no parameters; both parts were checked above.
    input: `alter role ${username} password '${password}'\n`,
  });
  if (done.status !== 0)
    throw new EmbeddedError(
      `The embedded PostgreSQL does not accept its own user (${reasonOf(done)}): see ${home.log}.`,
    );
}
