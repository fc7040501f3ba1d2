import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { PostgresSettings } from '../../config/index.js';

/** Something about a backup or a restore that the person at the terminal can do something about; the message says what. */
export class BackupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackupError';
  }
}

/** Where Debian keeps the versions of PostgreSQL beside each other. */
const DEBIAN = '/usr/lib/postgresql';

type Program = 'pg_dump' | 'pg_restore' | 'psql';

/**
 * The program of PostgreSQL for a server of this major version: it must not be older than the server. Of those on the PATH and in Debian's
 * folders the oldest that will do, for its dumps can be read by most.
 * @throws BackupError there is none; says what was found, and what to install
 */
export function programFor(name: Program, serverMajor: number, folders = searchedFolders()): string {
  const found = folders
    .map((folder) => path.join(folder, name))
    .filter((file) => existsSync(file))
    .map((file) => ({ file, major: majorOf(file) }));
  const [best] = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major);
  if (best) return best.file;
  const seen = found.map(({ file, major }) => `${file} is of version ${major}`).join(', ');
  throw new BackupError(
    `There is no ${name} for PostgreSQL ${serverMajor}${seen && ` (${seen})`}: install its client programs (Debian: apt-get install postgresql-client-${serverMajor}, macOS: brew install postgresql@${serverMajor}) and put them on the PATH.`,
  );
}

function searchedFolders(): string[] {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => path.join(DEBIAN, version, 'bin')) : [];
  return [...(process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== ''), ...debian];
}

/** 0 for what does not say it. */
function majorOf(file: string): number {
  try {
    return Number(/\d+/.exec(execFileSync(file, ['--version'], { encoding: 'utf8' }))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** A program at work. */
export interface Running {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Rejects with a {@link BackupError} that holds the last of what it said, when it fails. */
  readonly done: Promise<void>;
}

/** Runs a program in a database, to its end. */
export function runProgram(file: string, args: readonly string[], settings: PostgresSettings): Promise<void> {
  const { stdin, stdout, done } = startProgram(file, args, settings);
  stdin.end();
  stdout.resume();
  return done;
}

/** Begins a program in a database; without settings, one that works on files. Its password goes by the environment, where other users of the machine do not see it. */
export function startProgram(file: string, args: readonly string[], settings?: PostgresSettings): Running {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    file,
    settings ? [...args, '--no-password'] : [...args],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...(settings ? environmentOf(settings) : {}) } },
  );
  // Of a program that has ended; `done` tells why.
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const where = settings ? ` of ${settings.database}` : '';
      if (code === 0) resolve();
      else reject(new BackupError(`${path.basename(file)}${where} failed:\n${said.trim()}`));
    });
  });
  done.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, done };
}

const environmentOf = ({ host, port, username, password, database, tls }: PostgresSettings): NodeJS.ProcessEnv => ({
  PGHOST: host,
  PGPORT: String(port),
  PGUSER: username,
  PGPASSWORD: password,
  PGDATABASE: database,
  PGAPPNAME: 'live-tables backup',
  // Large tables take as long as they take.
  PGOPTIONS: '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0',
  ...(tls ? { PGSSLMODE: 'verify-full', PGSSLROOTCERT: process.env.PGSSLROOTCERT ?? 'system' } : {}),
});
