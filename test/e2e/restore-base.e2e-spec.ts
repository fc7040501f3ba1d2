import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { projectRoot, type PostgresSettings } from '../../src/config/index.js';
import { aloneWithBase, BackupError, takeBackup } from '../../src/database/backup/index.js';
import { systemActor } from '../../src/database/main/index.js';
import { openBaseRestore, openDriftChecker } from '../../src/modules/tables/index.js';
import { RESTORABLE_VIEWS } from '../../src/modules/views/index.js';
import {
  ensureBuilt,
  expectStatus,
  ownFolder,
  serverEnvironment,
  socket,
  startApp,
  waitFor,
  world,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { allChanges, allRows, tableOf } from '../support/change-feed.js';
import { postgresWithTools } from '../support/postgres-with-tools.js';
import { putRules } from '../support/rules.js';

jest.setTimeout(180_000);

interface Joined {
  readonly mode: string;
  readonly epoch: string;
  readonly seq: number;
}

let pair: TestDatabases;
let server: TestApp;
let at: World;
/** A base beside it, which nobody restores. */
let other: Table;
let people: Table;
let file: Attachment;
let views: Record<'own' | 'gone', { readonly id: string }>;
const folder = path.join(ownFolder('backups'), 'first');
const filesDir = ownFolder('files');

const asOperator = async <T extends pg.QueryResultRow>(where: PostgresSettings, statement: string): Promise<T[]> => {
  const client = new pg.Client({ ...where, user: where.username });
  await client.connect();
  try {
    return (await client.query<T>(statement)).rows;
  } finally {
    await client.end();
  }
};

/** All that the API tells of the base, but for what moves on with a restore: versions of structures, times of change. */
async function picture(): Promise<unknown> {
  const get = async (where: string) => {
    const { status, body } = await at.owner.get(where);
    return status === 200 ? body : status;
  };
  const told = {
    base: await get(`/bases/${at.base.id}`),
    tables: await get(`/bases/${at.base.id}/tables`),
    trash: await get(`/bases/${at.base.id}/trash`),
    views: await Promise.all(Object.values(views).map(({ id }) => get(`/views/${id}`))),
    each: await Promise.all(
      [at.table, people].map(async ({ id }) => ({
        table: await get(`/tables/${id}`),
        rows: await get(`/tables/${id}/rows?limit=1000`),
        rules: await get(`/tables/${id}/rules`),
        indexes: await get(`/tables/${id}/indexes`),
      })),
    ),
  };
  const MOVES = new Set(['schemaVersion', 'updatedAt', 'updatedBy', 'version', 'seq', 'epoch', 'usage']);
  const rows = told.each.map(({ rows }) => rows);
  const still = JSON.parse(
    JSON.stringify(told, (key, value: unknown) => (MOVES.has(key) ? undefined : value)),
  ) as object;
  // Of rows versions and times count, too.
  return { ...still, data: rows.map((page) => (page as { data?: unknown }).data) };
}

const findings = async () => {
  const open = await openDriftChecker(server.config);
  return (await open.checker.check().finally(() => open.close())).findings;
};

/** `npm run restore` as a process of its own. */
async function restore(
  baseId: string,
  faultPoint = '',
): Promise<{ readonly code: number | null; readonly signal: string | null; readonly said: string }> {
  const env = await serverEnvironment({ databases: pair, env: { FILES_DIR: filesDir, FAULT_POINT: faultPoint } });
  const child = spawn(
    process.execPath,
    [path.join(projectRoot, 'dist/backup.js'), 'restore', folder, '--base', baseId],
    { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  const [[code, signal], out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, signal, said: out + err };
}

beforeAll(async () => {
  ensureBuilt();
  pair = await (await postgresWithTools({ roles: true })).pair();
  server = await startApp({ databases: pair, env: { FILES_DIR: filesDir } });
  at = await world(server.base);
  const { owner, workspace, base, table } = at;
  people = expectStatus(
    await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'People', columns: [{ name: 'Name', type: 'text' }] }),
    201,
  );
  const column = async (body: object) =>
    expectStatus(await owner.post<Column>(`/tables/${table.id}/columns`, body), 201);
  await column({ name: 'Nr', type: 'autonumber' });
  const link = await column({ name: 'Contact', type: 'link', options: { tableId: people.id } });
  const papers = await column({ name: 'Papers', type: 'attachment' });
  await column({ name: 'Double', type: 'formula', options: { formula: '{qty} * 2' } });
  const trashed = await column({ name: 'Trashed', type: 'text' });
  expectStatus(await owner.del(`/tables/${table.id}/columns/${trashed.id}`), 204);
  [file] = expectStatus(await owner.post<{ data: Attachment[] }>(`/tables/${table.id}/attachments`, form('kept')), 201)
    .data as [Attachment];
  const ada = expectStatus(await owner.post<Row>(`/tables/${people.id}/rows`, { fields: { name: 'Ada' } }), 201);
  for (let nr = 0; nr < 30; nr++)
    expectStatus(
      await owner.post(`/tables/${table.id}/rows`, {
        fields: {
          name: `deal ${nr} \\ "\t\n\u2028'`,
          qty: nr,
          [link.key]: [ada.id],
          [papers.key]: nr ? [] : [file.id],
        },
      }),
      201,
    );
  expectStatus(await owner.post(`/tables/${table.id}/indexes`, { kind: 'sort', columns: [{ field: 'qty' }] }), 202);
  await putRules(owner, table, {
    name: 'open',
    appliesTo: { roles: ['viewer'] },
    read: { filter: { field: 'qty', op: 'gt', value: 10 } },
  });
  const view = async (name: string) =>
    expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/views`, {
        name,
        definition: { source: { table: table.id } },
      }),
      201,
    );
  views = { own: await view('Own'), gone: await view('Gone') };
  const beside = expectStatus(
    await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'Other' }),
    201,
  );
  other = expectStatus(
    await owner.post<Table>(`/bases/${beside.id}/tables`, {
      name: 'Beside',
      columns: [{ name: 'Name', type: 'text' }],
    }),
    201,
  );
  await waitFor(async () => {
    const { data } = expectStatus(await owner.get<{ data: { state: string }[] }>(`/tables/${table.id}/indexes`), 200);
    return data.every(({ state }) => state === 'ready') && data.length > 0;
  });
}, 120_000);

describe('one base of a backup', () => {
  let was: unknown;

  /** Nothing is as it was. */
  async function change(): Promise<void> {
    const { owner, table, base } = at;
    const { data } = expectStatus(await owner.get<{ data: Row[] }>(`/tables/${table.id}/rows?limit=5`), 200);
    for (const [nr, row] of data.entries())
      if (nr % 2 === 0) expectStatus(await owner.del(`/tables/${table.id}/rows/${row.id}`), 204);
      else expectStatus(await owner.patch(`/tables/${table.id}/rows/${row.id}`, { fields: { name: 'later' } }), 200);
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'new' } }), 201);
    const amount = table.columns.find(({ key }) => key === 'amount');
    expectStatus(await owner.del(`/tables/${table.id}/columns/${amount?.id ?? ''}`), 204);
    // Under the name and at the place of one that was there.
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'Amount', type: 'text' }), 201);
    expectStatus(await owner.del(`/tables/${people.id}`), 204);
    const again = expectStatus(
      await owner.post<Table>(`/bases/${base.id}/tables`, {
        name: 'People',
        columns: [{ name: 'Nick', type: 'text' }],
      }),
      201,
    );
    expectStatus(await owner.post(`/tables/${again.id}/rows`, { fields: { nick: 'x' } }), 201);
    await putRules(owner, table);
    expectStatus(await owner.patch(`/bases/${base.id}`, { name: 'Renamed' }), 200);
    expectStatus(await owner.patch(`/views/${views.own.id}`, { name: 'Mine' }), 200);
    expectStatus(await owner.del(`/views/${views.gone.id}`), 204);
  }

  beforeAll(async () => {
    await takeBackup(server.config, folder);
    was = await picture();
    await change();
    expect(await picture()).not.toEqual(was);
  }, 60_000);

  it('is what it was, while the other one is written and nobody there notices; who followed it reads anew', async () => {
    const tab = await socket(server.base, at.owner.accessToken);
    const channel = `table:${at.table.id}`;
    const known = await tab.ask<Joined>('subscribe', { channel });
    const beside = await socket(server.base, at.owner.accessToken);
    await beside.ask('subscribe', { channel: `table:${other.id}` });
    let [written, stop] = [0, false];
    const writer = (async () => {
      for (; !stop; written++)
        expectStatus(await at.owner.post(`/tables/${other.id}/rows`, { fields: { name: `${written}` } }), 201);
    })();
    const ended = await restore(at.base.id);
    stop = true;
    await writer;
    expect(ended).toMatchObject({
      code: 0,
      said: expect.stringMatching(/The base CRM .*what was backed up at/) as unknown,
    });

    const told = await tab.until(
      ({ name, payload }) => name === 'control' && (payload as { type: string }).type === 'reset',
    );
    expect(told.payload).toMatchObject({ channel, reason: 'epoch_changed' });
    const now = await tab.ask<Joined>('subscribe', { channel });
    expect(now.epoch).not.toBe(known.epoch);
    expect(await picture()).toEqual(was);
    expect(await findings()).toEqual([]);

    await waitFor(() => Promise.resolve(beside.payloads('data:update').length === written));
    expect(beside.payloads('control')).toEqual([]);
    const { data } = expectStatus(await at.owner.get<{ data: Row[] }>(`/tables/${other.id}/rows?limit=1000`), 200);
    expect(data).toHaveLength(Math.min(written, 1_000));
  });

  it('goes on: rows and structure are changed, the log is whole, its file is there, and the audit log tells who did it', async () => {
    const { owner, table, workspace } = at;
    const tab = await socket(server.base, owner.accessToken);
    const now = await tab.ask<Joined>('subscribe', { channel: `table:${table.id}` });
    const row = expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: 'next' } }), 201);
    // Behind the highest that was ever given at the moment of the backup.
    expect(row.fields).toMatchObject({ nr: 31 });
    await tab.until(({ name, payload }) => name === 'data:update' && (payload as Joined).seq === now.seq + 1);
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'Next', type: 'text' }), 201);
    expect(expectStatus(await owner.get(`/tables/${table.id}/history/verify`), 200)).toMatchObject({ ok: true });
    const { url } = expectStatus(await owner.get<{ url: string }>(`/tables/${table.id}/attachments/${file.id}`), 200);
    expect(await (await fetch(new URL(url, server.base))).text()).toBe('kept');
    const { data } = expectStatus(
      await owner.get<{ data: { actor: object; after: object }[] }>(
        `/workspaces/${workspace.id}/audit-logs?action=base.restored_from_backup`,
      ),
      200,
    );
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({
      actor: { id: null, name: expect.stringMatching(/^operator ./) as unknown },
      after: { name: 'CRM', takenAt: expect.any(String) as unknown, tables: 2 },
    });
  });

  it('is exchanged between two writes, while it is written without a pause: its log makes its rows, and no later write is missing', async () => {
    const { owner, table } = at;
    const [acknowledged, statuses] = [[] as { id: string; at: number }[], new Set<number>()];
    let stop = false;
    const writers = Array.from({ length: 4 }, async (_, nr) => {
      for (let i = 0; !stop; i++) {
        const asked = Date.now();
        const made = await owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: `${nr} ${i}` } });
        statuses.add(made.status);
        if (made.status === 201) acknowledged.push({ id: made.body.id, at: asked });
      }
    });
    const ended = await restore(at.base.id);
    const since = Date.now();
    await waitFor(() => Promise.resolve(acknowledged.filter((row) => row.at > since).length >= 20));
    stop = true;
    await Promise.all(writers);
    expect(ended).toMatchObject({ code: 0 });
    expect([...statuses]).toEqual([201]);
    const { columns } = expectStatus(await owner.get<Table>(`/tables/${table.id}`), 200);
    const rows = await allRows(owner, table);
    const held = tableOf(await allChanges(owner, table), columns);
    expect(new Map([...held.rows].map(([id, { version }]) => [id, version]))).toEqual(
      new Map(rows.map(({ id, version }) => [id, version])),
    );
    const there = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((row) => row.at > since && !there.has(row.id))).toEqual([]);
    expect(acknowledged.some(({ id }) => !there.has(id))).toBe(true);
    expect(expectStatus(await owner.get(`/tables/${table.id}/history/verify`), 200)).toMatchObject({ ok: true });
  });

  it.each(['restore.staged', 'schema.recorded', 'schema.applying', 'schema.applied', 'schema.finishing'])(
    'comes back when it is asked for again after it was killed at %s',
    async (point) => {
      const { owner, table } = at;
      await owner.post(`/tables/${table.id}/rows`, { fields: { name: point } });
      expect(await restore(at.base.id, point)).toMatchObject({ signal: 'SIGKILL' });
      if (point === 'restore.staged')
        expect(await findings()).toMatchObject([
          { code: 'schema_orphan', place: expect.stringMatching(/__restore$/) as unknown },
        ]);
      // Nobody is kept from the base, whichever of the two it is.
      expectStatus(await owner.get(`/tables/${table.id}/rows`), 200);
      expect(await restore(at.base.id)).toMatchObject({ code: 0 });
      expect(await picture()).toEqual(was);
      expect(await findings()).toEqual([]);
    },
  );

  it('comes back when it was purged, with its files', async () => {
    const { owner, base, table } = at;
    expectStatus(await owner.del(`/bases/${base.id}`), 204);
    await asOperator(pair.main, `update bases set deleted_at = now() - interval '90 days' where id = '${base.id}'`);
    const { BasePurge } = await import('../../src/modules/tables/index.js');
    await server.app.get(BasePurge).purge(base.id);
    await asOperator(pair.main, `delete from views where id = '${views.gone.id}'`);
    expectStatus(await owner.get(`/tables/${table.id}`), 404);
    expect(await restore(base.id)).toMatchObject({ code: 0 });
    expect(await picture()).toEqual(was);
    expect(await findings()).toEqual([]);
    const { url } = expectStatus(await owner.get<{ url: string }>(`/tables/${table.id}/attachments/${file.id}`), 200);
    expect(await (await fetch(new URL(url, server.base))).text()).toBe('kept');
  });

  describe('is refused in one sentence, and nothing is changed', () => {
    const refusal = async (baseId: string): Promise<string> => {
      const open = await openBaseRestore(server.config, RESTORABLE_VIEWS);
      const error = await open.restore
        .restore(folder, baseId, systemActor('restore'))
        .catch((thrown: unknown) => thrown)
        .finally(() => open.close());
      expect(error).toBeInstanceOf(BackupError);
      return (error as Error).message;
    };
    /** What is in the way, for as long as the work takes. */
    const while_ = async (statements: readonly [string, string], work: () => Promise<void>) => {
      await asOperator(pair.main, statements[0]);
      await work().finally(() => asOperator(pair.main, statements[1]));
    };

    it('where the backup holds no such base', async () => {
      expect(await refusal(other.id)).toBe(
        `The backup holds no base ${other.id}. It holds: ${at.base.id} (CRM), ${other.baseId} (Other).`,
      );
      expect(await restore('CRM')).toMatchObject({ code: 1, said: 'CRM is no id of a base.\n' });
    });

    it('where its workspace is gone', async () => {
      const { id } = at.workspace;
      await while_(
        [
          `update workspaces set deleted_at = now() where id = '${id}'`,
          `update workspaces set deleted_at = null where id = '${id}'`,
        ],
        async () => expect(await refusal(at.base.id)).toMatch(/is in the trash: restore that first/),
      );
    });

    it('where another base has its name by now', async () => {
      const { owner, base, workspace } = at;
      expectStatus(await owner.patch(`/bases/${base.id}`, { name: 'Elsewhere' }), 200);
      const taker = expectStatus(
        await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'crm' }),
        201,
      );
      const before = await picture();
      expect(await refusal(base.id)).toBe(
        'Another base of the workspace is called "CRM" by now: rename that one first.',
      );
      expect(await picture()).toEqual(before);
      expectStatus(await owner.del(`/bases/${taker.id}`), 204);
    });

    it('where the backup is of another version', async () => {
      const newest = `(select max(timestamp) from _migrations)`;
      await while_(
        [
          `update _migrations set name = regexp_replace(name, '\\d+$', '9700000000000') where timestamp = ${newest}`,
          `update _migrations set name = regexp_replace(name, '\\d+$', timestamp::text) where timestamp = ${newest}`,
        ],
        async () =>
          expect(await refusal(at.base.id)).toMatch(/taken by an older version .*restore it into two empty databases/),
      );
      await while_(
        [
          `update _migrations set name = regexp_replace(name, '\\d+$', '1700000000000') where timestamp = ${newest}`,
          `update _migrations set name = regexp_replace(name, '\\d+$', timestamp::text) where timestamp = ${newest}`,
        ],
        async () => expect(await refusal(at.base.id)).toMatch(/taken by a newer version .*migration:run/),
      );
    });

    it('where somebody else is at it', async () => {
      await aloneWithBase(pair.mini, at.table.physical.schema, async () => {
        expect(await refusal(at.base.id)).toMatch(/Somebody else is restoring this base/);
      });
    });
  });
});
