import { execFileSync } from 'node:child_process';
import { statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { EmbeddedError, USE_YOUR_OWN } from './embedded-error.js';

/** The user that PostgreSQL runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root hands it to another user: the owner of the cluster where there is one, else an
 * unprivileged user that exists, `postgres` or `nobody`. Undefined for everybody but root: it runs as oneself.
 */
export function serverAccount(cluster: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const made = statSync(cluster, { throwIfNoEntry: false });
  if (made && made.uid !== 0) return { name: `number ${made.uid}`, uid: made.uid, gid: made.gid };
  const account = find('postgres') ?? find('nobody');
  if (account) return account;
  throw new EmbeddedError(
    `PostgreSQL does not run as root and there is no user postgres or nobody here: start as another user, or ${USE_YOUR_OWN}.`,
  );
}

function find(name: string): Account | undefined {
  const id = (option: string) =>
    Number(execFileSync('id', [option, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { name, uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined; // no such user
  }
}

const READ = 4;
const ENTER = 1;

/** Whether the account can walk to `target` and read it (a folder: list and enter). Modes only: access lists are not seen. */
export function canReach(target: string, account: Account): boolean {
  const parents: string[] = [];
  for (let at = path.dirname(target); ; at = path.dirname(at)) {
    parents.push(at);
    if (at === path.dirname(at)) break;
  }
  const last = statSync(target);
  return (
    parents.every((parent) => allows(statSync(parent), account, ENTER)) &&
    allows(last, account, last.isDirectory() ? READ | ENTER : READ)
  );
}

function allows({ uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>, account: Account, wanted: number): boolean {
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}
