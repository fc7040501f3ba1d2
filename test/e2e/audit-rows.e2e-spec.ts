import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { newestChanges } from '../../src/engines/index.js';
import { toStatement } from '../../src/query/index.js';
import {
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  world,
  type Person,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { path } from '../support/rows.js';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly id: string | null; readonly name: string; readonly via: string };
  readonly action: string;
  readonly resource: {
    readonly type: string;
    readonly id: string | null;
    readonly name: string;
    readonly tableId?: string;
  };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly requestId: string;
  readonly ip: string;
  readonly changeSet: string | null;
}
interface Log {
  readonly data: readonly Entry[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}

let app: TestApp;
let at: World;
let editor: Person;
let second: Table;
let row: Row;
beforeAll(async () => {
  app = await startApp({ databases: await databases() });
  at = await world(app.base);
  editor = await member(at, 'editor');
  const base = expectStatus(
    await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Second' }),
    201,
  );
  const columns = [{ name: 'Name', type: 'text' }];
  second = expectStatus(await at.owner.post<Table>(`/bases/${base.id}/tables`, { name: 'Things', columns }), 201);
  row = expectStatus(
    await editor.post<Row>(path(at.table), { fields: { name: 'a', qty: 1 } }, { 'x-request-id': 'made-by-audit-test' }),
    201,
  );
  expectStatus(await editor.patch(path(at.table, row.id), { fields: { qty: 2 } }), 200);
  expectStatus(await at.owner.del(path(at.table, row.id)), 204);
  expectStatus(await at.owner.post(path(at.table, row.id, 'restore')), 200);
  expectStatus(await at.owner.post(path(second), { fields: { name: 'x' } }), 201);
}, 60_000);

const url = (query = '') => `/workspaces/${at.workspace.id}/audit-logs${query}`;
const log = async (query = ''): Promise<readonly Entry[]> =>
  expectStatus(await at.owner.get<Log>(url(query)), 200).data;
const actions = async (query: string) => (await log(query)).map(({ action }) => action);

describe('rows in the audit log', () => {
  it('are told with who, from where, what they were and what they became', async () => {
    const [updated, created] = await log(`?resourceId=${row.id}&actorId=${editor.user.id}`);
    expect(created).toEqual({
      id: expect.any(String),
      at: row.createdAt,
      actor: { id: editor.user.id, name: 'Ada Lovelace', via: 'session' },
      action: 'row.created',
      resource: { type: 'row', id: row.id, name: 'Deals', tableId: at.table.id },
      before: null,
      after: expect.objectContaining({ name: 'a', qty: 1 }),
      requestId: 'made-by-audit-test',
      ip: '127.0.0.1',
      changeSet: expect.any(String),
    });
    expect(updated).toMatchObject({ action: 'row.updated', before: { qty: 1 }, after: { qty: 2 } });
  });

  it('of all bases are merged with metadata, newest first, and no structure is told twice', async () => {
    const entries = await log('?limit=1000');
    const times = entries.map((entry) => entry.at);
    expect(times).toEqual([...times].sort().reverse());
    expect(entries[0]).toMatchObject({ action: 'row.created', resource: { name: 'Things' } });
    const count = (action: string) => entries.filter((entry) => entry.action === action).length;
    expect(['row.created', 'row.updated', 'row.deleted', 'row.restored', 'table.created'].map(count)).toEqual([
      2, 1, 1, 1, 2,
    ]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });

  it('obey every filter, and so does metadata', async () => {
    expect(await actions(`?resourceId=${row.id}`)).toEqual([
      'row.restored',
      'row.deleted',
      'row.updated',
      'row.created',
    ]);
    expect(await actions('?action=row.deleted')).toEqual(['row.deleted']);
    expect(await actions('?action=row.*&resourceType=table')).toEqual([]);
    expect(new Set(await actions('?resourceType=row'))).toEqual(
      new Set(['row.created', 'row.updated', 'row.deleted', 'row.restored']),
    );
    expect((await actions('?resourceType=table')).sort()).toEqual(['table.created', 'table.created']);
    expect(await actions('?requestId=made-by-audit-test')).toEqual(['row.created']);
    const [made] = await log('?requestId=made-by-audit-test');
    expect(await actions(`?changeSet=${made?.changeSet ?? ''}`)).toEqual(['row.created']);
    expect(await actions(`?changeSet=${randomUUID()}`)).toEqual([]);
    expect(await actions('?ip=203.0.113.7')).toEqual([]);
    expect((await actions('?ip=127.0.0.1&resourceType=row')).length).toBe(5);
    const time = made?.at ?? '';
    expect(await actions(`?resourceType=row&to=${time}`)).toEqual([]);
    expect((await actions(`?resourceType=row&from=${time}`)).length).toBe(5);
  });

  it('come once each and in order, page by page, also those of one moment', async () => {
    const ops = Array.from({ length: 30 }, (_, i) => ({ op: 'create', fields: { name: `bulk ${i}` } }));
    expectStatus(await at.owner.post(path(at.table, 'bulk'), { mode: 'atomic', ops }), 200);
    // Metadata and rows of the same moment.
    const [newest] = await log('?limit=1');
    await sql(
      app.config.mainDb,
      `insert into audit_log (id, at, workspace_id, actor_name, actor_via, action, resource_type, resource_name, request_id, ip)
       select gen_random_uuid(), $2::timestamptz, $1, 'system', 'system', 'planted.' || n, 'seed', 'seed', 'planted', '' from generate_series(1, 9) n`,
      [at.workspace.id, newest?.at],
    );
    const whole = (await log('?limit=1000')).map(({ id }) => id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { data, page } = expectStatus(await at.owner.get<Log>(url(`?limit=7${cursor}`)), 200);
      seen.push(...data.map(({ id }) => id));
      cursor = page.nextCursor === undefined ? '' : `&cursor=${page.nextCursor}`;
      expectStatus(await at.owner.post(path(second), { fields: { name: 'meanwhile' } }), 201);
    } while (cursor !== '');
    expect(seen).toEqual(whole);
  });

  it('are found by time: a page reads no more of the log than it shows', async () => {
    const { schema } = at.table.physical;
    await sql(
      app.config.miniDb,
      `insert into "${schema}"._change (table_id, seq, ord, row_id, version, op, after, at, actor_name, source, request_id, change_set, schema_version)
       select gen_random_uuid(), n, 0, gen_random_uuid(), 1, 'create', '{}', '2020-01-01'::timestamptz + n * interval '1 second', 'x', 'api', 'x', gen_random_uuid(), 1
       from generate_series(1, 20000) n`,
    );
    await sql(app.config.miniDb, `analyze "${schema}"._change`);
    const { text, values } = toStatement(
      newestChanges(
        [schema, second.physical.schema],
        {},
        { entries: 50, bytes: 1_000_000 },
        { at: '2020-01-01T03:00:00Z' },
      ),
    );
    const [plan] = await sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      app.config.miniDb,
      `explain (analyze, format json) ${text}`,
      values,
    );
    const nodes = flat(must(plan, 'a query plan')['QUERY PLAN'][0].Plan);
    expect(nodes.some((node) => node['Index Name'] === '_change_at_idx')).toBe(true);
    expect(Math.max(...nodes.map((node) => node['Actual Rows']))).toBeLessThanOrEqual(120);
  });

  it('leave as a file, line by line, and that is written down, as are exports of rows', async () => {
    const answer = await at.owner.get(url('/export?resourceType=row'));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry);
    expect(lines.length).toBeGreaterThan(20_000);
    expect(lines.slice(0, 5)).toEqual(await log('?resourceType=row&limit=5'));
    expectStatus(await editor.get(`/tables/${at.table.id}/export?filter=qty.gt.1&format=ndjson`), 200);
    expect(await log('?action=table.exported')).toMatchObject([
      {
        actor: { id: editor.user.id },
        resource: { id: at.table.id, name: 'Deals' },
        after: { format: 'ndjson', filter: 'qty.gt.1' },
      },
    ]);
    expect(await log('?action=audit_log.exported')).toMatchObject([{ after: { filters: { resourceType: 'row' } } }]);
    expect((await editor.get(url('/export'))).status).toBe(403);
  });
});

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}
const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
