import { execFile } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { migrateMain, revertMain } from '../../src/database/main/index.js';
import {
  databases,
  expectStatus,
  member,
  serverEnvironment,
  sql,
  startApp,
  world,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { forgeries } from '../support/forgeries.js';
import { refusal } from '../support/rows.js';

interface Verdict {
  readonly ok: boolean;
  readonly checked: number;
  readonly brokenAt: number | null;
  readonly brokenEntry: string | null;
  readonly unlinked: number;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly checkpoint?: string;
}
interface Checkpoint {
  readonly seq: number;
  readonly hash: string;
  readonly token: string;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
}, 60_000);

const main = <T extends object>(text: string, values: unknown[] = []) => sql<T>(app.config.mainDb, text, values);
const logOf = (of: World = at) => `/workspaces/${of.workspace.id}/audit-logs`;
const verify = async (query = '', of: World = at): Promise<Verdict> =>
  expectStatus(await of.owner.get<Verdict>(`${logOf(of)}/verify${query}`), 200);
const checkpoint = async (): Promise<Checkpoint> =>
  expectStatus(await at.owner.get<Checkpoint>(`${logOf()}/checkpoint`), 200);
const rename = async (name: string) =>
  expectStatus(await at.owner.patch(`/workspaces/${at.workspace.id}`, { name }), 200);
const entriesOf = (workspaceId: string) =>
  main<{ n: number }>('select count(*)::int as n from audit_log where workspace_id = $1', [workspaceId]);

/** What `npm run check:audit` printed, and how it ended. */
async function command(): Promise<{ readonly code: number; readonly out: string }> {
  const env = { PATH: process.env.PATH, ...(await serverEnvironment({ databases: pair })) };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(projectRoot, 'scripts/check-audit.mjs')], { env }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, out: stdout }),
    );
  });
}

describe('the hash chain of the audit log', () => {
  it('has all that was done, side by side and under keys, and nothing of other workspaces', async () => {
    const other = await world(app.base);
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const key: Record<string, string> = i % 2 === 0 ? { 'idempotency-key': `chain-${i}` } : {};
        const base = expectStatus(
          await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: `B ${i}` }, key),
          201,
        );
        expectStatus(await at.owner.patch(`/bases/${base.id}`, { name: `"B\\ ${i}", äß 🎈` }), 200);
      }),
    );
    await member(at, 'editor');
    for (const each of [at, other]) {
      const verdict = await verify('', each);
      const [count] = await entriesOf(each.workspace.id);
      expect(verdict).toMatchObject({ ok: true, checked: count?.n, brokenAt: null, brokenEntry: null, unlinked: 0 });
      expect(verdict.head.seq).toBe(count?.n);
    }
    expect((await verify()).checked).toBeGreaterThan(60);
  });

  const FIFTH = '(select audit_id from audit_links where stream = $1 and seq = 5)';
  it.each([
    ['a changed author', `update audit_log set actor_name = 'Eve' where id = ${FIFTH}`],
    ['a changed time', `update audit_log set at = at + interval '1 microsecond' where id = ${FIFTH}`],
    ['a changed value', `update audit_log set after = '{"name":"forged"}' where id = ${FIFTH}`],
    ['an entry that was given to another workspace', `update audit_log set workspace_id = null where id = ${FIFTH}`],
    ['an entry that was taken out', `delete from audit_log where id = ${FIFTH}`],
    ['a changed link', 'update audit_links set hash = sha256(hash) where stream = $1 and seq = 5'],
    ['a link that was taken out', 'delete from audit_links where stream = $1 and seq = 5'],
  ])('names %s', async (_, forgery) => {
    await main('create table kept_log as select * from audit_log');
    await main('create table kept_links as select * from audit_links');
    await main(forgery, [at.workspace.id]);
    const found = await verify();
    await main('truncate audit_log, audit_links');
    await main('insert into audit_log select * from kept_log');
    await main('insert into audit_links select * from kept_links');
    await main('drop table kept_log, kept_links');
    expect(found).toMatchObject({ ok: false, brokenAt: 5 });
    expect((await verify()).ok).toBe(true);
  });

  it.each(['audit_log', 'audit_links'])(
    'names an entry in any column of %s of which stands something else',
    async (log) => {
      const found: unknown[] = [];
      const which = log === 'audit_log' ? `id = ${FIFTH}` : 'stream = $1 and seq = 5';
      for (const forgery of await forgeries(app.config.mainDb, ['public', log])) {
        await main(`create table kept as select * from ${log}`);
        await main(`update ${log} set ${forgery} where ${which}`, [at.workspace.id]);
        const { ok, brokenAt } = await verify();
        await main(`delete from ${log}`);
        await main(`insert into ${log} select * from kept`);
        await main('drop table kept');
        found.push([forgery, ok, brokenAt]);
      }
      expect(found.length).toBeGreaterThan(3);
      expect(found).toEqual(found.map((each) => [(each as [string])[0], false, 5]));
      expect((await verify()).ok).toBe(true);
    },
  );

  it('finds what was put in beside the server, and the newest when they were taken out', async () => {
    await main('create table kept_log as select * from audit_log');
    await main(
      `insert into audit_log (id, at, workspace_id, actor_name, actor_via, action, resource_type, resource_name, request_id, ip)
       values (gen_random_uuid(), now(), $1, 'Eve', 'session', 'member.added', 'member', 'Eve', 'forged', '')`,
      [at.workspace.id],
    );
    const forged = await verify();
    await main(`delete from audit_log where request_id = 'forged'`);
    const { head } = await verify();
    await main(`delete from audit_log where id = (select audit_id from audit_links where stream = $1 and seq = $2)`, [
      at.workspace.id,
      head.seq,
    ]);
    const short = await verify();
    await main('create table kept_links as select * from audit_links');
    await main('delete from audit_links where stream = $1 and seq = $2', [at.workspace.id, head.seq]);
    const shorter = await verify();
    await main('truncate audit_log, audit_links');
    await main('insert into audit_log select * from kept_log');
    await main('insert into audit_links select * from kept_links');
    await main('drop table kept_log, kept_links');
    expect(forged).toMatchObject({ ok: false, brokenAt: null, unlinked: 1 });
    expect(short).toMatchObject({ ok: false, brokenAt: head.seq, brokenEntry: null });
    expect(shorter).toMatchObject({ ok: false, brokenAt: head.seq });
    expect(await verify()).toMatchObject({ ok: true, unlinked: 0 });
  });

  /** Until there are no links any more; younger migrations go first. */
  const withoutChain = async (): Promise<void> => {
    const there = async () => {
      const [found] = await main<{ n: number }>(
        `select count(*)::int as n from _migrations where name ~ '^AuditChain'`,
      );
      return found?.n === 1;
    };
    while (await there()) await revertMain(app.config.mainDb);
  };

  it('that was made anew as a whole is told from the one that a checkpoint was signed of', async () => {
    const kept = await checkpoint();
    await rename('Acme later');
    const query = `?checkpoint=${kept.token}`;
    expect(await verify(query)).toMatchObject({ ok: true, checkpoint: 'matches' });
    // Whoever can write the whole database can make all links anew: by the migration, for one.
    await withoutChain();
    await main(`update audit_log set actor_name = 'Eve' where workspace_id = $1`, [at.workspace.id]);
    await migrateMain(app.config.mainDb);
    expect(await verify()).toMatchObject({ ok: true });
    expect(await verify(query)).toMatchObject({ ok: false, brokenAt: kept.seq, checkpoint: 'differs' });
  });

  it('links what was there before it, and goes on behind', async () => {
    const [count] = await entriesOf(at.workspace.id);
    await withoutChain();
    await migrateMain(app.config.mainDb);
    await rename('Acme once more');
    expect(await verify()).toMatchObject({ ok: true, checked: (count?.n ?? 0) + 1, unlinked: 0 });
  });

  it('is looked at by an operator, with those of accounts', async () => {
    const before = await command();
    expect([before.code, before.out]).toEqual([0, expect.stringContaining(' entries computed anew, 0 are broken')]);
    const [signIn] = await main<{ id: string; actor: string }>(
      `update audit_log set ip = '203.0.113.1' where id = (select e.id from audit_log e join audit_links l on l.audit_id = e.id and l.seq = 1 where workspace_id is null and actor_id is not null limit 1) returning id, actor_id as actor`,
    );
    const { code, out } = await command();
    expect([code, out]).toEqual([
      1,
      expect.stringContaining(`${signIn?.actor}: number 1 is not what was written (entry ${signIn?.id})`),
    ]);
  });

  it('refuses checkpoints of others and forged ones, and tells nobody but admins', async () => {
    const other = await world(app.base);
    const kept = await checkpoint();
    const ofTable = expectStatus(await at.owner.get<Checkpoint>(`/tables/${at.table.id}/history/checkpoint`), 200);
    const codes = async (of: World, token: string) =>
      refusal(await of.owner.get(`${logOf(of)}/verify?checkpoint=${token}`));
    expect(await codes(other, kept.token)).toEqual([422, 'validation_failed', '/checkpoint other_workspace']);
    expect(await codes(at, ofTable.token)).toEqual([422, 'validation_failed', '/checkpoint other_workspace']);
    expect(await codes(at, `${kept.token}x`)).toEqual([422, 'validation_failed', '/checkpoint not_signed_here']);
    const editor = await member(at, 'editor');
    expectStatus(await editor.get(`${logOf()}/verify`), 403);
    expectStatus(await editor.get(`${logOf()}/checkpoint`), 403);
    expectStatus(await other.owner.get(`${logOf()}/verify`), 404);
  });
});
