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
  waitFor,
  world,
  type Client,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import { isSignedWith, receiver, type Receiver } from '../support/webhook-receiver.js';

const OLD = randomBytes(32).toString('hex');
const NEW = randomBytes(32).toString('hex');
const PASSWORDS = 50;
const WEBHOOKS = 5;
const ALL = PASSWORDS + WEBHOOKS;

interface Webhook {
  readonly id: string;
  readonly secret: string;
}

let pair: TestDatabases;
/** Serves from before the change to the end, as a node that was started again last. */
let node: TestNode;
let at: World;
let ids: readonly string[];
let to: Receiver;
let hooks: readonly Webhook[];

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
  to = await receiver();
  const sealed: Webhook[] = [];
  for (let n = 0; n < WEBHOOKS; n++)
    sealed.push(
      expectStatus(
        await at.owner.post<Webhook>(`/workspaces/${at.workspace.id}/webhooks`, {
          ...{ name: `Webhook ${n}`, url: to.url, tables: [at.table.id] },
        }),
        201,
      ),
    );
  hooks = sealed;
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

const keysInUse = async (table: 'connections' | 'webhooks' = 'connections'): Promise<readonly number[]> =>
  (await sql<{ n: number }>(pair.main, `select count(*)::int as n from ${table} group by key_id order by n`)).map(
    ({ n }) => n,
  );

/** Sends a message of the webhook and looks whether it is signed with the secret. */
const signs = async (as: Client, { id, secret }: Webhook): Promise<boolean> => {
  const { length } = to.got;
  const { outcome } = expectStatus(
    await as.post<{ outcome: string }>(`/workspaces/${at.workspace.id}/webhooks/${id}/test`),
    200,
  );
  expect(outcome).toBe('delivered');
  const message = await waitFor(() => to.got[length]);
  return isSignedWith(secret, message);
};

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

    // Two at once, and a password and a secret that are changed meanwhile.
    const [first, , , , last] = hooks as [Webhook, Webhook, Webhook, Webhook, Webhook];
    const [one, other, changed, renewed] = await Promise.all([
      rotate(during),
      rotate(during),
      at.owner.patch(`/connections/${ids.at(-2) ?? ''}`, { password: pair.main.password }),
      at.owner.post<Webhook>(`/workspaces/${at.workspace.id}/webhooks/${last.id}/secret`, {}),
    ]);
    expectStatus(changed, 200);
    const { secret } = expectStatus(renewed, 200);
    expect([one.code, other.code]).toEqual([0, 0]);
    expect((await rotate(during)).lines.at(-1)).toMatch(
      new RegExp(`^${ALL} secrets are under key [0-9a-f]{16}, the present one\\.$`),
    );
    expect([await keysInUse(), await keysInUse('webhooks')]).toEqual([[PASSWORDS], [WEBHOOKS]]);
    expect(await signs(at.owner, first)).toBe(true);

    // The former key can go: from the new node, and with it from everywhere.
    const after = await startNode({ databases: pair, env: { ENCRYPTION_KEY: NEW } });
    const owner = client(after.base, at.owner.accessToken);
    for (const id of [ids[0], ids.at(-1), ids.at(-2)]) expect(await works(owner, id)).toBe(true);
    // Of the secret that was changed, the former one for a day as well.
    for (const hook of [first, last, { id: last.id, secret }]) expect(await signs(owner, hook)).toBe(true);
    expect(await signs(owner, { id: first.id, secret })).toBe(false);
  }, 180_000);

  it('leaves an entry for each secret in the audit log, and no secret in it', async () => {
    const rows = await sql<{ workspace_id: string; resource_id: string; entry: string }>(
      pair.main,
      `select workspace_id, resource_id, a::text as entry from audit_log a where action in ('connection.rekeyed', 'webhook.rekeyed')`,
    );
    // The two that were changed meanwhile may be under the new key by that.
    expect(new Set(rows.map((row) => row.resource_id)).size).toBeGreaterThanOrEqual(ALL - 2);
    expect(new Set(rows.map((row) => row.workspace_id))).toEqual(new Set([at.workspace.id]));
    for (const { entry } of rows)
      for (const secret of [OLD, NEW, pair.main.password, ...hooks.map((hook) => hook.secret)])
        expect(entry).not.toContain(secret);
  });

  it('says how many secrets no key opens, and leaves them as they are', async () => {
    const lost = await rotate({ ENCRYPTION_KEY: randomBytes(32).toString('hex') });
    expect(lost.code).toBe(1);
    expect(lost.lines[0]).toBe('0 secrets encrypted anew …');
    expect(lost.lines.at(-1)).toMatch(`${ALL} secrets cannot be read: add their key to ENCRYPTION_KEYS_PREVIOUS`);
    expect(await works(at.owner, ids[3])).toBe(true);
    for (const hook of hooks.slice(0, 2)) expect(await signs(at.owner, hook)).toBe(true);
  }, 60_000);
});
