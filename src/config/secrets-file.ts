import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  chmodSync,
  chownSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** Secrets that an installation without configuration makes for itself, once. */
export interface GeneratedSecrets {
  readonly jwtSecret: string;
  /** 64 hexadecimal digits. */
  readonly encryptionKey: string;
  /** How to reach the embedded PostgreSQL, also from pgAdmin or psql. */
  readonly postgres: {
    readonly host: '127.0.0.1';
    /** The port of the last start; taken again while it is free. 0: not started yet. */
    readonly port: number;
    readonly username: string;
    readonly password: string;
    /** The cluster's superuser, for the embedded form's own upkeep. */
    readonly superuser: { readonly username: string; readonly password: string };
  };
}

/** The data folder or a file in it cannot be used; the message is one sentence that says what to do. */
export class DataDirectoryError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DataDirectoryError';
  }
}

export const secretsFile = (dataDir: string) => path.join(dataDir, 'secrets.json');

/** As much as what a start writes besides its databases: on a full disk an empty file can still be made. */
const PROBE_BYTES = 8_192;

/**
 * Makes the data folder if need be. Throws {@link DataDirectoryError} when it cannot be read and written.
 * @param write what writes a file
 */
export function openDataDirectory(dataDir: string, write: typeof writeFileSync = writeFileSync): void {
  const probe = path.join(dataDir, `.probe-${randomBytes(4).toString('hex')}`);
  try {
    makeFolder(dataDir);
    write(probe, Buffer.alloc(PROBE_BYTES));
  } catch (error) {
    throw new DataDirectoryError(
      `The data folder ${dataDir} cannot be written (${codeOf(error)}): ${wayOut(codeOf(error))}, or set DATA_DIR to another folder.`,
      error,
    );
  } finally {
    remove(probe);
  }
}

const wayOut = (code: string): string =>
  code === 'ENOSPC' || code === 'EDQUOT' ? 'its disk is full, make room on it' : 'give this user rights to it';

/** Never throws: where it cannot be, it was not made. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // the folder is none
  }
}

/**
 * Makes the folder with all those above it. Not `recursive`: where a file system answers ENOENT to every new folder, as
 * /proc does, Node 20 tries again for ever and hears no signal.
 */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it in between.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** Reads the secrets of this installation, or makes them on the first call (file mode 0600). */
export function openSecrets(dataDir: string): GeneratedSecrets {
  const file = secretsFile(dataDir);
  if (!existsSync(file)) return createSecrets(file);
  try {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return checked(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new DataDirectoryError(
      `${file} cannot be read (${codeOf(error)}): restore it from a backup, or delete the folder ${dataDir} to start anew without its data.`,
      error,
    );
  }
}

/** Remembers the port of the embedded PostgreSQL, so that other programs find it there next time. */
export function rememberPort(dataDir: string, secrets: GeneratedSecrets, port: number): void {
  if (secrets.postgres.port === port) return;
  const file = secretsFile(dataDir);
  const draft = written(file, { ...secrets, postgres: { ...secrets.postgres, port } });
  renameSync(draft, file);
}

/** What root writes into somebody's data folder stays readable for that somebody. */
export function keepOwner(file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(path.dirname(file));
  chownSync(file, uid, gid);
}

function createSecrets(file: string): GeneratedSecrets {
  const random = () => randomBytes(24).toString('hex');
  const secrets: GeneratedSecrets = {
    jwtSecret: randomBytes(48).toString('base64'),
    encryptionKey: randomBytes(32).toString('hex'),
    postgres: {
      host: '127.0.0.1',
      port: 0,
      username: 'live_tables',
      password: random(),
      superuser: { username: 'postgres', password: random() },
    },
  };
  const draft = written(file, secrets);
  try {
    // A link, unlike a rename, fails where another process was first; then its secrets are the ones.
    linkSync(draft, file);
    return secrets;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new DataDirectoryError(
        `${file} cannot be written (${codeOf(error)}): set DATA_DIR to another folder.`,
        error,
      );
    return openSecrets(path.dirname(file));
  } finally {
    rmSync(draft, { force: true });
  }
}

function written(file: string, secrets: GeneratedSecrets): string {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  keepOwner(draft);
  return draft;
}

function checked(value: unknown): GeneratedSecrets {
  const secrets = value as GeneratedSecrets;
  const texts = [
    secrets.jwtSecret,
    secrets.postgres.username,
    secrets.postgres.password,
    secrets.postgres.superuser.username,
    secrets.postgres.superuser.password,
  ];
  if (texts.some((item) => typeof item !== 'string' || item === '')) throw new Error('a secret is missing');
  if (!/^[0-9a-f]{64}$/i.test(secrets.encryptionKey)) throw new Error('encryptionKey is damaged');
  return secrets;
}

const codeOf = (error: unknown) =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
