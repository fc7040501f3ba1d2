import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import {
  asSuperuser,
  databases,
  expectStatus,
  freePort,
  redis,
  socket,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type Row,
  type TcpProxy,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import { collector, type Collector, type SentSpan } from '../support/collector.js';
import { receiver } from '../support/webhook-receiver.js';

const [SERVER, CLIENT] = [2, 3];
const ERROR = 2;
/** What must not leave the house: a cell, and the key of the collector itself. */
const CELL = 'Hush-hush-4711';
const KEY = randomBytes(12).toString('hex');
const LONG = 30_000;

const traceparent = (): { readonly traceId: string; readonly spanId: string; readonly traceparent: string } => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
};

/** The spans of a trace, each as its name behind those above it; the caller's own is not among them. */
const paths = (spans: readonly SentSpan[]): readonly string[] => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = (span: SentSpan): string => {
    const above = byId.get(span.parentSpanId ?? '');
    return above ? `${pathOf(above)} > ${span.name}` : span.name;
  };
  return spans.map(pathOf).sort();
};

let pair: TestDatabases;
let to: Collector;
let node: TestNode;
let at: World;
let shop: string;
let proxy: TcpProxy;

/** All that was sent of a trace, when the span of its request has come, which ends last. */
const traceOf = (traceId: string): Promise<SentSpan[]> =>
  waitFor(
    () => {
      const spans = to.spans.filter((span) => span.traceId === traceId);
      return spans.some(({ kind }) => kind === SERVER) && spans;
    },
    LONG,
    100,
  );
const named = (spans: readonly SentSpan[], name: string): SentSpan =>
  must(
    spans.find((span) => span.name === name),
    name,
  );

beforeAll(async () => {
  const [own, { main }] = await Promise.all([databases(), databases({ migrated: false })]);
  pair = own;
  to = await collector();
  await asSuperuser(main.database, (db) =>
    db.query(`
      create table people (id integer primary key, who text);
      insert into people values (1, '${CELL}');
      grant select on all tables in schema public to public;
    `),
  );
  node = await startNode({
    databases: pair,
    env: {
      LOG_LEVEL: 'info',
      NODE_ENV: 'test',
      OTEL_EXPORTER_OTLP_ENDPOINT: to.url,
      OTEL_EXPORTER_OTLP_HEADERS: `api-key=${KEY}`,
      OTEL_SERVICE_NAME: 'the-crm',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    },
  });
  at = await world(node.base);
  proxy = await tcpProxy({ host: main.host, port: main.port });
  const { host, port } = proxy;
  const { database, username, password } = main;
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
    ...{ name: 'The shop', engine: 'postgresql', host, port, database, username, password },
  });
  shop = expectStatus(made, 201).id;
}, 120_000);

describe('traces', () => {
  it('show a page of rows with its stages, below the span of the caller', async () => {
    const { traceId, spanId, ...headers } = traceparent();
    const requestId = randomUUID();
    const path = `/tables/${at.table.id}/rows?filter=name.eq.${CELL}&count=exact`;
    expectStatus(await at.owner.get(path, { ...headers, 'x-request-id': requestId }), 200);
    const spans = await traceOf(traceId);
    const request = named(spans, 'GET /api/v1/tables/:tableId/rows');
    expect(request).toMatchObject({ parentSpanId: spanId, kind: SERVER });
    expect(request.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/api/v1/tables/:tableId/rows',
      'http.response.status_code': 200,
      'live_tables.request_id': requestId,
      'live_tables.workspace_id': at.workspace.id,
    });
    expect(request.resource).toMatchObject({ 'service.name': 'the-crm' });
    const stages = paths(spans).map((each) => each.replace(`${request.name} > `, ''));
    for (const stage of ['plan.resolve', 'plan.compile', 'plan.execute', 'plan.shape']) expect(stages).toContain(stage);
    expect(named(spans, 'plan.execute')).toMatchObject({
      kind: CLIENT,
      attributes: { 'db.system.name': 'postgresql' },
    });
    expect(to.paths).toContain('/v1/traces');
    expect(to.headers[0]).toMatchObject({ 'api-key': KEY });
  });

  it('show a write from the queue to the commit, and the request that it was refused in', async () => {
    const { traceId, ...headers } = traceparent();
    const row = expectStatus(
      await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name: CELL } }, headers),
      201,
    );
    const spans = await traceOf(traceId);
    const [request] = [named(spans, 'POST /api/v1/tables/:tableId/rows').name];
    expect(paths(spans)).toEqual(
      expect.arrayContaining([
        `${request} > rows.write`,
        `${request} > rows.write > rows.commit`,
        `${request} > rows.write > rows.commit > plan.compile`,
        `${request} > rows.write > rows.commit > plan.execute`,
      ]),
    );
    expect(named(spans, 'rows.write').attributes).toMatchObject({
      'live_tables.table_id': at.table.id,
      'live_tables.seq': expect.any(Number),
    });
    const refused = traceparent();
    const path = `/tables/${at.table.id}/rows/${row.id}`;
    const stale = { 'if-match': '"999"', traceparent: refused.traceparent };
    expect((await at.owner.patch(path, { fields: { name: CELL } }, stale)).status).toBe(412);
    const [answered] = (await traceOf(refused.traceId)).filter(({ kind }) => kind === SERVER);
    expect(answered?.attributes['http.response.status_code']).toBe(412);
    expect(answered?.status.code ?? 0).not.toBe(ERROR);
  });

  it('show a view over an external source, by which connection and not by which host', async () => {
    const { traceId, ...headers } = traceparent();
    const definition = { source: { connection: shop, object: 'people' } };
    const page = await at.owner.post<{ data: object[] }>(
      `/workspaces/${at.workspace.id}/views/preview`,
      { definition },
      headers,
    );
    expect(expectStatus(page, 200).data).toHaveLength(1);
    const spans = await traceOf(traceId);
    expect(named(spans, 'view.read').attributes).toEqual({ 'live_tables.tier': 'push-down' });
    const external = named(spans, 'external.read');
    expect(external.attributes).toEqual({ 'db.system.name': 'postgresql', 'live_tables.connection_id': shop });
    expect(paths(spans)).toContain('POST /api/v1/workspaces/:workspaceId/views/preview > view.read > external.read');
  });

  it('say that a source could not be reached, by the kind of the error and not by its words', async () => {
    await proxy.cut();
    const { traceId, ...headers } = traceparent();
    const definition = { source: { connection: shop, object: 'people' } };
    const path = `/workspaces/${at.workspace.id}/views/preview`;
    expect((await at.owner.post(path, { definition }, headers)).status).toBe(502);
    const spans = await traceOf(traceId);
    const external = named(spans, 'external.read');
    expect(external.status).toEqual({ code: ERROR });
    expect(external.attributes['error.type']).toBe('source_unreachable');
  });

  it('show what the main database was asked, by tables and not by statements', async () => {
    const { traceId, ...headers } = traceparent();
    const name = `${CELL} base`;
    expectStatus(await at.owner.post(`/workspaces/${at.workspace.id}/bases`, { name }, headers), 201);
    const asked = (await traceOf(traceId)).filter((span) => span.name === 'main.execute');
    for (const [operation, table] of [
      ['INSERT', 'bases'],
      ['INSERT', 'audit_log'],
      ['COMMIT', undefined],
    ]) {
      const found = asked.find(
        ({ attributes }) => attributes['db.operation.name'] === operation && attributes['db.collection.name'] === table,
      );
      expect([operation, table, found?.kind, found?.attributes['db.system.name']]).toEqual([
        ...[operation, table, CLIENT, 'postgresql'],
      ]);
    }
  });

  it('are in the lines of the log', async () => {
    const { traceId, ...headers } = traceparent();
    await at.owner.get(`/tables/${randomUUID()}/rows`, headers);
    const line = await waitFor(() =>
      node
        .output()
        .split('\n')
        .find((each) => each.includes(traceId)),
    );
    expect(line).toContain('404');
  });

  it('take no trace of a request that the caller does not want traced, and none of probes', async () => {
    const { traceId, spanId } = traceparent();
    expectStatus(await at.owner.get('/users/me', { traceparent: `00-${traceId}-${spanId}-00` }), 200);
    const probe = traceparent();
    expectStatus(await at.owner.get('/health/live', { traceparent: probe.traceparent }), 200);
    const last = traceparent();
    expectStatus(await at.owner.get('/users/me', { traceparent: last.traceparent }), 200);
    await traceOf(last.traceId);
    expect(to.spans.filter((span) => [traceId, probe.traceId].includes(span.traceId))).toEqual([]);
  });

  it('hold no cell, no address of anybody, no key and no password', () => {
    const raw = to.raw();
    expect(raw).toContain('plan.execute');
    const { owner } = at;
    const secrets = [
      CELL,
      owner.email,
      owner.password,
      owner.accessToken,
      KEY,
      pair.main.password,
      'select ',
      '127.0.0.1',
    ];
    for (const secret of secrets) expect(raw).not.toContain(secret);
    expect(node.output()).not.toContain(KEY);
  });
});

describe('traces of what no request waits for', () => {
  it('are their own: messages of sockets, what is told to them, webhooks with the trace that they are of', async () => {
    const sent = await collector();
    const own = await startNode({
      databases: pair,
      redis: await redis(),
      env: { LOG_LEVEL: 'info', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sent.url}/here` },
    });
    const { owner, table, workspace } = await world(own.base);
    const hook = await receiver();
    expectStatus(
      await owner.post(`/workspaces/${workspace.id}/webhooks`, { name: 'Hook', url: hook.url, tables: [table.id] }),
      201,
    );
    const live = await socket(own.base, owner.accessToken);
    expect(await live.ask('subscribe', { channel: `table:${table.id}` })).toMatchObject({ ok: true });
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: CELL } }), 201);
    await live.until(({ name }) => name === 'data:update', LONG);
    await waitFor(() => hook.got.length > 0, LONG);
    const guest = `${randomUUID()}@example.org`;
    expectStatus(await owner.post(`/workspaces/${workspace.id}/members`, { email: guest, role: 'viewer' }), 201);
    // Where no mail server is named, a mail is a line of the log.
    await waitFor(() => own.output().includes(guest), LONG);
    expect((await own.term()).code).toBe(0);
    // What was left is sent at the end.
    const first = (name: string): SentSpan => named(sent.spans, name);
    expect(first('socket subscribe')).toMatchObject({ kind: SERVER });
    for (const name of ['socket subscribe', 'live.fan-out', 'webhook.deliver', 'mail.send'])
      expect(first(name).parentSpanId ?? '').toBe('');
    expect(first('live.fan-out').attributes).toMatchObject({ 'live_tables.channel': `table:${table.id}` });
    const delivery = first('webhook.deliver');
    expect(delivery.attributes).toMatchObject({ 'http.response.status_code': 204, 'live_tables.table_id': table.id });
    expect(hook.got[0]?.headers.traceparent).toBe(`00-${delivery.traceId}-${delivery.spanId}-01`);
    expect(sent.paths).toContain('/here');
    expect(first('mail.send').attributes).toMatchObject({
      'live_tables.mail_template': expect.any(String),
      'live_tables.attempt': 1,
    });
    expect(first('redis.evaluate')).toMatchObject({ kind: CLIENT, attributes: { 'db.system.name': 'redis' } });
    expect(first('redis.evaluate').parentSpanId ?? '').not.toBe('');
    for (const secret of [CELL, owner.email, guest, hook.url]) expect(sent.raw()).not.toContain(secret);
  }, 120_000);

  it('are none where nothing says whereto', async () => {
    const own = await startNode({ databases: pair, env: { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' } });
    const { owner, table } = await world(own.base);
    const before = to.spans.length;
    const { traceId, ...headers } = traceparent();
    expectStatus(await owner.get(`/tables/${table.id}/rows`, headers), 200);
    expect((await own.term()).code).toBe(0);
    expect(own.output()).not.toContain(traceId);
    expect(to.spans.slice(before).filter((span) => span.traceId === traceId)).toEqual([]);
  }, 60_000);
});

describe('a collector that is not there', () => {
  it.each([
    ['refuses connections', async () => `http://127.0.0.1:${await freePort()}`],
    [
      'takes connections and never answers',
      async () => {
        const hung = await collector();
        hung.answer = () => undefined;
        return hung.url;
      },
    ],
    [
      'refuses what it is sent',
      async () => {
        const refusing = await collector();
        refusing.answer = (response) => response.writeHead(403).end(`key ${KEY} is not known`);
        return refusing.url;
      },
    ],
  ])(
    'costs no request anything when it %s, and the process ends in time',
    async (_, url) => {
      const env = {
        ...{
          LOG_LEVEL: 'warn',
          OTEL_EXPORTER_OTLP_ENDPOINT: await url(),
          OTEL_EXPORTER_OTLP_HEADERS: `api-key=${KEY}`,
        },
      };
      const own = await startNode({ databases: pair, env });
      const { owner, table } = await world(own.base);
      for (let n = 0; n < 200; n++) expectStatus(await owner.get(`/tables/${table.id}/rows`), 200);
      await waitFor(() => own.output().includes('Traces cannot be sent'), LONG);
      expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: CELL } }), 201);
      expect((await own.term()).code).toBe(0);
      expect(own.output().split('Traces cannot be sent')).toHaveLength(2);
      expect(own.output()).not.toContain(KEY);
    },
    120_000,
  );
});
