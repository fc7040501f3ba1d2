import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { BackupError, programFor, restoreBackup, snapshotPair, takeBackup } from '../../src/database/backup/index.js';
import { openDriftChecker } from '../../src/modules/tables/index.js';
import {
  client,
  expectStatus,
  ownFolder,
  socket,
  startApp,
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

jest.setTimeout(120_000);

interface Joined {
  readonly mode: string;
  readonly reason?: string;
  readonly epoch: string;
  readonly seq: number;
}

const stopper = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
};

let server: Awaited<ReturnType<typeof postgresWithTools>>;
let pair: TestDatabases;
let before: TestApp;
let at: World;
let file: Attachment;
/** Rows that were there, acknowledged, before the backup began. */
const early: string[] = [];
const folder = path.join(ownFolder('backups'), 'first');

beforeAll(async () => {
  server = await postgresWithTools();
  pair = await server.pair();
  before = await startApp({ databases: pair });
  at = await world(before.base);
  const rows = `/tables/${at.table.id}/rows`;
  [file] = expectStatus(
    await at.owner.post<{ data: Attachment[] }>(`/tables/${at.table.id}/attachments`, form('kept')),
    201,
  ).data as [Attachment];
  const papers = expectStatus(
    await at.owner.post<Column>(`/tables/${at.table.id}/columns`, { name: 'Papers', type: 'attachment' }),
    201,
  );
  for (let nr = 0; nr < 20; nr++)
    early.push(
      expectStatus(
        await at.owner.post<Row>(rows, { fields: { name: `early ${nr}`, [papers.key]: nr === 0 ? [file.id] : [] } }),
        201,
      ).id,
    );
}, 120_000);

describe('a backup', () => {
  it('is taken while rows and structure are changed, and both databases agree in it', async () => {
    const { signal, abort } = stopper();
    const rows = `/tables/${at.table.id}/rows`;
    const writers = Array.from({ length: 4 }, async (_, nr) => {
      for (let i = 0; !signal.aborted; i++)
        expectStatus(await at.owner.post(rows, { fields: { name: `${nr} ${i}` } }), 201);
    });
    const builder = (async () => {
      const columns = `/tables/${at.table.id}/columns`;
      for (let i = 0; !signal.aborted; i++) {
        const made = await at.owner.post<Column>(columns, { name: `Column ${i}`, type: 'text' });
        // While tables are written down, a change waits as long as it may.
        if (made.status === 423) continue;
        const { id } = expectStatus(made, 201);
        if (i % 2 === 0) continue;
        const removed = await at.owner.del(`${columns}/${id}`);
        if (removed.status !== 423) expectStatus(removed, 204);
      }
    })();
    const manifest = await takeBackup(before.config, folder);
    abort();
    await Promise.all([...writers, builder]);
    expect(manifest).toMatchObject({ bases: 1, tables: 1, files: { count: 1, bytes: 4 } });
    // Neither secrets nor passwords are in what tells of it.
    const told = readFileSync(path.join(folder, 'backup.json'), 'utf8');
    for (const secret of [before.config.jwt.secret, before.config.encryptionKey.toString('hex'), pair.main.password])
      expect(told).not.toContain(secret);
  });

  it('keeps every table and view of the mini database in place while it is written', async () => {
    const operator = new pg.Client({ ...pair.mini, user: pair.mini.username });
    await operator.connect();
    const relations = await operator.query<{ name: string }>(
      `select format('%I.%I', n.nspname, relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace
        where relkind in ('r', 'p', 'v') and n.oid = (select relnamespace from pg_class where relname = '_stream')`,
    );
    const held = async (name: string) => {
      await operator.query("begin; set local lock_timeout = '20ms'");
      const error = await operator
        .query(`lock table only ${name} in access exclusive mode`)
        .catch((thrown: unknown) => thrown as { code: string });
      await operator.query('rollback');
      return 'code' in error && error.code === '55P03';
    };
    // A change that is at work when the backup begins is waited for.
    const [{ name: first } = { name: '' }] = relations.rows;
    const changer = new pg.Client({ ...pair.mini, user: pair.mini.username });
    await changer.connect();
    await changer.query(`begin; lock table ${first} in access exclusive mode`);
    const waiting = snapshotPair(pair.main, pair.mini, async () => {
      for (const { name } of relations.rows) expect([name, await held(name)]).toEqual([name, true]);
      return relations.rows.length;
    });
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])).toBe('waits');
    await changer.query('commit');
    expect(await waiting).toBeGreaterThan(5);
    for (const { name } of relations.rows) expect([name, await held(name)]).toEqual([name, false]);
    await Promise.all([operator.end(), changer.end()]);
  });

  it('is restored into empty databases: rows, logs, structure, people, files; who was there reads anew', async () => {
    const tab = await socket(before.base, at.owner.accessToken);
    const channel = `table:${at.table.id}`;
    const known = await tab.ask<Joined>('subscribe', { channel });
    const later = expectStatus(
      await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name: 'later' } }),
      201,
    );
    await before.close();

    const restored = await server.pair({ migrated: false });
    const filesDir = ownFolder('restored-files');
    const env = { FILES_DIR: filesDir };
    const config = {
      ...before.config,
      mainDb: restored.main,
      miniDb: restored.mini,
      files: { ...before.config.files, directory: filesDir },
    };
    expect((await restoreBackup(config, folder)).warnings).toEqual([]);
    const after = await startApp({ databases: restored, env });

    // Signed in as before: the session was in the backup.
    const owner = client(after.base, at.owner.accessToken);
    const open = await openDriftChecker(after.config);
    const { findings } = await open.checker.check().finally(() => open.close());
    expect(findings).toEqual([]);
    expectStatus(await owner.get(`/tables/${at.table.id}/rows/${later.id}`), 404);
    for (const id of early) expectStatus(await owner.get(`/tables/${at.table.id}/rows/${id}`), 200);
    // Reading the log from nothing gives the rows: neither has what the other has not.
    const { columns } = expectStatus(await owner.get<Table>(`/tables/${at.table.id}`), 200);
    const held = tableOf(await allChanges(owner, at.table), columns);
    const rows = await allRows(owner, at.table);
    expect(rows.length).toBeGreaterThanOrEqual(early.length);
    expect(new Map([...held.rows].map(([id, { version }]) => [id, version]))).toEqual(
      new Map(rows.map(({ id, version }) => [id, version])),
    );
    const { url } = expectStatus(
      await owner.get<{ url: string }>(`/tables/${at.table.id}/attachments/${file.id}`),
      200,
    );
    expect(await (await fetch(new URL(url, after.base))).text()).toBe('kept');

    const back = await socket(after.base, at.owner.accessToken);
    expect(await back.ask('subscribe', { channel, from: { epoch: known.epoch, seq: known.seq } })).toMatchObject({
      mode: 'reset',
      reason: 'epoch_changed',
    });
    const now = await back.ask<Joined>('subscribe', { channel });
    expect(now.epoch).not.toBe(known.epoch);
    expectStatus(await owner.post(`/tables/${at.table.id}/rows`, { fields: { name: 'new' } }), 201);
    await back.until(({ name, payload }) => name === 'data:update' && (payload as Joined).seq === now.seq + 1);
    expectStatus(await owner.post(`/tables/${at.table.id}/columns`, { name: 'New', type: 'text' }), 201);
  });

  it('is not taken over another, nor brought into databases that hold something, nor when it was changed', async () => {
    await expect(takeBackup(before.config, folder)).rejects.toThrow(BackupError);
    await expect(restoreBackup(before.config, folder)).rejects.toThrow(/is not empty .*create database/);
    const empty = await server.pair({ migrated: false });
    const into = { ...before.config, mainDb: empty.main, miniDb: empty.mini };
    await expect(restoreBackup(into, ownFolder('nothing'))).rejects.toThrow(/backup\.json cannot be read/);
    appendFileSync(path.join(folder, 'main.dump'), 'x');
    await expect(restoreBackup(into, folder)).rejects.toThrow(/main\.dump is not what was backed up/);
  });

  it('says which program is missing, and what to install', () => {
    expect(() => programFor('pg_dump', 99)).toThrow(
      /There is no pg_dump for PostgreSQL 99 .*is of version \d+.*postgresql-client-99/,
    );
    expect(() => programFor('pg_restore', 18, [])).toThrow(/There is no pg_restore for PostgreSQL 18: install/);
  });
});
