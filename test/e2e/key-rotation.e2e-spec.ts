import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import {
  client,
  databases,
  expectStatus,
  serverEnvironment,
  sql,
  startNode,
  world,
  type Client,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

const OLD = randomBytes(32).toString('hex');
const NEW = randomBytes(32).toString('hex');
const PASSWORDS = 50;

let pair: TestDatabases;
/** Serves from before the change to the end, as a node that was started again last. */
let node: TestNode;
let at: World;
let ids: readonly string[];

beforeAll(async () => {
  pair = await databases();
  // The new key is told to all nodes first, so that each can read what the others encrypt.
  node = await startNode({ databases: pair, env: { ENCRYPTION_KEY: OLD, ENCRYPTION_KEYS_PREVIOUS: NEW } });
  at = await world(node.base);
  const made: string[] = [];
  for (let n = 0; n < PASSWORDS; n++) {
    const answer = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: `Connection ${n}`, engine: 'postgresql', host: pair.main.host, port: pair.main.port },
      ...{ database: pair.main.database, username: pair.main.username, password: pair.main.password },
    });
    made.push(expectStatus(answer, 201).id);
  }
  ids = made;
}, 120_000);

/** What `npm run keys:rotate` printed, and how it ended. */
async function rotate(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | string; readonly lines: readonly string[] }> {
  const all = { PATH: process.env.PATH, ...(await serverEnvironment({ databases: pair, env })) };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(projectRoot, 'scripts/rotate-keys.mjs')], { env: all }, (error, stdout) =>
      resolve({
        code: error ? (error.code ?? error.signal ?? '') : 0,
        lines: stdout
          .trim()
          .split('\n')
          .filter((line) => line !== 'Building …'),
      }),
    );
  });
}

const keysInUse = async (): Promise<readonly number[]> =>
  (await sql<{ n: number }>(pair.main, 'select count(*)::int as n from connections group by key_id order by n')).map(
    ({ n }) => n,
  );

const works = async (as: Client, id: string | undefined): Promise<boolean> =>
  expectStatus(await as.post<{ ok: boolean }>(`/connections/${id ?? ''}/test`), 200).ok;

describe('the rotation of keys', () => {
  it('goes on where one that was killed in the middle had come to, beside a server that works all the time', async () => {
    const during = { ENCRYPTION_KEY: NEW, ENCRYPTION_KEYS_PREVIOUS: OLD };
    expect(await works(at.owner, ids[0])).toBe(true);

    const killed = await rotate({ ...during, FAULT_POINT: 'keys.batch' });
    expect(killed).toEqual({ code: 'SIGKILL', lines: ['20 secrets encrypted anew …'] });
    expect(await keysInUse()).toEqual([20, 30]);
    // Under either key; the first is one that was encrypted anew.
    expect([await works(at.owner, ids[0]), await works(at.owner, ids.at(-1))]).toEqual([true, true]);

    // Two at once, and a password that is changed meanwhile.
    const [one, other, changed] = await Promise.all([
      rotate(during),
      rotate(during),
      at.owner.patch(`/connections/${ids.at(-2) ?? ''}`, { password: pair.main.password }),
    ]);
    expectStatus(changed, 200);
    expect([one.code, other.code]).toEqual([0, 0]);
    expect((await rotate(during)).lines.at(-1)).toMatch(/^50 secrets are under key [0-9a-f]{16}, the present one\.$/);
    expect(await keysInUse()).toEqual([PASSWORDS]);

    // The former key can go: from the new node, and with it from everywhere.
    const after = await startNode({ databases: pair, env: { ENCRYPTION_KEY: NEW } });
    const owner = client(after.base, at.owner.accessToken);
    for (const id of [ids[0], ids.at(-1), ids.at(-2)]) expect(await works(owner, id)).toBe(true);
  }, 180_000);

  it('leaves an entry for each password in the audit log, and no secret in it', async () => {
    const rows = await sql<{ workspace_id: string; entry: string }>(
      pair.main,
      `select workspace_id, a::text as entry from audit_log a where action = 'connection.rekeyed'`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(PASSWORDS);
    expect(new Set(rows.map((row) => row.workspace_id))).toEqual(new Set([at.workspace.id]));
    for (const { entry } of rows)
      for (const secret of [OLD, NEW, pair.main.password]) expect(entry).not.toContain(secret);
  });

  it('says which passwords no key opens, and leaves them as they are', async () => {
    const lost = await rotate({ ENCRYPTION_KEY: randomBytes(32).toString('hex') });
    expect(lost.code).toBe(1);
    expect(lost.lines[0]).toBe('0 secrets encrypted anew …');
    expect(lost.lines.at(-1)).toMatch(/^50 secrets cannot be read: add their key to ENCRYPTION_KEYS_PREVIOUS/);
    expect(await works(at.owner, ids[3])).toBe(true);
  }, 60_000);
});
