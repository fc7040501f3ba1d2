import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  databases,
  expectStatus,
  sleep,
  sql,
  startNode,
  waitFor,
  world,
  type Answer,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import type { PostgresSettings } from '../../src/config/index.js';

/** Settings of the database, and a table in it that somebody holds until the request has waited for longer than the threshold. */
type Held = readonly [database: PostgresSettings, schema: string, table: string];

const LONG = 20_000;

let pair: TestDatabases;
let node: TestNode;
let at: World;
let shop: string;
let outside: PostgresSettings;

beforeAll(async () => {
  const [own, { main }] = await Promise.all([databases(), databases({ migrated: false })]);
  [pair, outside] = [own, main];
  await asSuperuser(main.database, (db) =>
    db.query(`
      create table people (id integer primary key, who text);
      insert into people values (1, 'Hush-hush');
      grant all on all tables in schema public to public;
    `),
  );
  node = await startNode({ databases: pair, env: { LOG_LEVEL: 'warn', SLOW_QUERY_MS: '200' } });
  at = await world(node.base);
  const { host, port, database, username, password } = main;
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
    ...{ name: 'The shop', engine: 'postgresql', access: 'read-write' },
    ...{ host, port, database, username, password },
  });
  shop = expectStatus(made, 201).id;
  // What is known of the other database is read before it is held.
  expectStatus(await ask('warm-up'), 200);
}, 120_000);

const ask = (id: string): Promise<Answer<unknown>> =>
  at.owner.post(`/connections/${shop}/query`, { from: 'public.people' }, { 'x-request-id': id });

/** The line that a request leaves whose table is held by somebody for a while. */
async function lineOf(
  [database, schema, table]: Held,
  id: string,
  request: () => Promise<Answer<unknown>>,
): Promise<string> {
  const held = asSuperuser(database.database, (db) =>
    db.query(`do $$ begin lock table "${schema}"."${table}" in access exclusive mode; perform pg_sleep(60); end $$`),
  ).catch(() => undefined);
  const locks = (isGranted: boolean) =>
    sql<{ pid: number }>(
      database,
      `select l.pid from pg_locks l join pg_class c on c.oid = l.relation
       where l.database = (select oid from pg_database where datname = current_database())
         and c.relname = $1 and l.granted = $2 and (not l.granted or l.mode = 'AccessExclusiveLock')`,
      [table, isGranted],
    );
  const [holder] = await waitFor(async () => {
    const found = await locks(true);
    return found.length > 0 && found;
  }, LONG);
  const asking = request();
  await waitFor(async () => (await locks(false)).length > 0, LONG);
  await sleep(300);
  await asSuperuser(database.database, (db) => db.query('select pg_cancel_backend($1)', [holder?.pid]));
  const [{ status, text }] = await Promise.all([asking, held]);
  if (status >= 300) throw new Error(`${status} ${text}`);
  return waitFor(() =>
    node
      .output()
      .split('\n')
      .find((line) => line.includes('Slow query') && line.includes(id)),
  );
}

describe('slow queries are told in the log with the shape of what was asked, and none of its values', () => {
  const ofTable = (): Held => [pair.mini, at.table.physical.schema, at.table.physical.table];
  const ofShop = (): Held => [outside, 'public', 'people'];
  const id = (nth: number): string => `${String(nth).repeat(8)}-1111-4111-8111-111111111111`;
  const place = (): string => `${at.table.physical.schema}.${at.table.physical.table}`;

  it('of a page of rows', async () => {
    const path = `/tables/${at.table.id}/rows?filter=and(name.eq.Hush-hush,amount.gt.4711)&sort=-amount`;
    const line = await lineOf(ofTable(), id(1), () => at.owner.get(path, { 'x-request-id': id(1) }));
    for (const part of [
      at.workspace.id,
      `${place()} columns=`,
      'where and(name.eq,amount.gt) sort -amount,-id',
      '/api/v1/tables/:tableId/rows',
      'kind=read',
    ])
      expect(line).toContain(part);
  }, 60_000);

  it('of a write, of one row and of many', async () => {
    const fields = { name: 'Hush-hush', amount: '4711' };
    const headers = { 'x-request-id': id(2) };
    const line = await lineOf(ofTable(), id(2), () =>
      at.owner.post(`/tables/${at.table.id}/rows`, { fields }, headers),
    );
    for (const part of [`${place()} create=1 set name,amount`, 'kind=write', 'rows=1']) expect(line).toContain(part);
    const ops = [
      { op: 'create', fields },
      { op: 'create', fields },
    ];
    const many = await lineOf(ofTable(), id(3), () =>
      at.owner.post(`/tables/${at.table.id}/rows/bulk`, { ops }, { 'x-request-id': id(3) }),
    );
    for (const part of [`${place()} create=2 set name,amount`, 'rows=2']) expect(many).toContain(part);
  }, 60_000);

  it('of a view', async () => {
    const definition = { source: { table: at.table.id }, filter: { field: 'name', op: 'eq', value: 'Hush-hush' } };
    const line = await lineOf(ofTable(), id(4), () =>
      at.owner.post(`/workspaces/${at.workspace.id}/views/preview`, { definition }, { 'x-request-id': id(4) }),
    );
    for (const part of [`${place()} columns=`, 'where name.eq', 'kind=read']) expect(line).toContain(part);
  }, 60_000);

  it('of a published view, whoever reads it', async () => {
    const definition = { source: { table: at.table.id }, filter: { field: 'name', op: 'eq', value: 'Hush-hush' } };
    const view = expectStatus(
      await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, { name: 'Open', definition }),
      201,
    );
    const { slug } = expectStatus(
      await at.owner.post<{ slug: string }>(`/views/${view.id}/api`, { auth: 'public', filterable: ['qty'] }),
      201,
    );
    const ask = async (): Promise<Answer<unknown>> => {
      const answer = await fetch(`${node.base}/public/views/${slug}/data?filter=qty.gt.4711`, {
        headers: { 'x-request-id': id(7) },
      });
      return { status: answer.status, text: await answer.text() } as Answer<unknown>;
    };
    const line = await lineOf(ofTable(), id(7), ask);
    for (const part of [at.workspace.id, `${place()} columns=`, 'name.eq', 'qty.gt', 'kind=read', 'rows=0'])
      expect(line).toContain(part);
  }, 60_000);

  it('of an export, when its last row has gone out', async () => {
    const path = `/tables/${at.table.id}/export?filter=name.eq.Hush-hush`;
    const line = await lineOf(ofTable(), id(8), () => at.owner.get(path, { 'x-request-id': id(8) }));
    for (const part of [at.workspace.id, `export ${place()} columns=`, 'where name.eq', 'kind=read', 'rows=3'])
      expect(line).toContain(part);
  }, 60_000);

  it('of an import', async () => {
    const path = `/tables/${at.table.id}/import?mode=upsert&matchOn=name`;
    const headers = { 'x-request-id': id(9), 'content-type': 'text/csv' };
    const line = await lineOf(ofTable(), id(9), () => at.owner.post(path, 'name,qty\r\nHush-hush 2,4711\r\n', headers));
    for (const part of [`${place()} import mode=upsert matchOn=name onError=abort`, 'kind=write', 'rows=1'])
      expect(line).toContain(part);
  }, 60_000);

  it('of an external database, read and written', async () => {
    const line = await lineOf(ofShop(), id(5), () => ask(id(5)));
    for (const part of ['public.people columns=2', 'kind=read', 'rows=1']) expect(line).toContain(part);
    const mutation = { op: 'update', object: 'public.people', key: { id: 1 }, values: { who: 'Hush-hush 4711' } };
    const write = await lineOf(ofShop(), id(6), () =>
      at.owner.post(`/connections/${shop}/mutate`, mutation, { 'x-request-id': id(6) }),
    );
    for (const part of ['public.people update=1 set who', 'kind=write']) expect(write).toContain(part);
  }, 60_000);

  it('with nothing that anybody wrote', () => {
    expect(node.output()).toContain('Slow query');
    expect(node.output()).not.toMatch(/Hush-hush|4711/);
  });
});
