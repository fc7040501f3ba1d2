import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { Metrics } from '../../src/common/index.js';
import { projectRoot } from '../../src/config/index.js';
import {
  expectStatus,
  ownFolder,
  promtool,
  socket,
  startApp,
  waitFor,
  world,
  type TestApp,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

const TOKEN = 'kQ3vX9pLr2TzWm8sJd5bYn1cHf6gAe4u';

let server: TestApp;
let acme: World;

const read = async (base = server.base, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) => {
  const answer = await fetch(`${base}/metrics`, { headers });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
};

/** The number of the series, 0 where there is none yet. */
async function figure(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const { text } = await read();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  const of = (line: string) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`));
  const isNamed = (line: string) => [' ', '{'].includes(line.charAt(name.length));
  return lines
    .filter((line) => isNamed(line) && of(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

beforeAll(async () => {
  server = await startApp({ env: { METRICS_TOKEN: TOKEN } });
  acme = await world(server.base);
});

describe('the numbers of a node', () => {
  it('are shown to who has the token, and to nobody else', async () => {
    expect(await read()).toMatchObject({ status: 200, type: expect.stringContaining('text/plain; version=0.0.4') });
    for (const authorization of ['', TOKEN, 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${acme.owner.accessToken}`])
      expect(await read(server.base, { authorization })).toMatchObject({ status: 401 });
    expect(await read(server.base, {})).toMatchObject({ status: 401 });
  });

  it('are not there in production without a token, and open elsewhere', async () => {
    const production = await startApp({ config: { metrics: { served: false } } });
    expect((await read(production.base)).status).toBe(404);
    await production.close();
    const open = await startApp();
    expect((await read(open.base, {})).status).toBe(200);
    await open.close();
  });

  it('count requests by the pattern of their route, and hold no id and no path that was asked for', async () => {
    const of = { method: 'GET', route: '/api/v1/tables/:tableId/rows', status: '200' };
    const before = await figure('http_request_duration_seconds_count', of);
    expectStatus(await acme.owner.get(`/tables/${acme.table.id}/rows`), 200);
    await acme.owner.get('/nowhere/secret-path');
    expect(await figure('http_request_duration_seconds_count', of)).toBe(before + 1);
    const { text } = await read();
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect(text).not.toContain('secret-path');
    expect(await figure('http_request_duration_seconds_count', { route: 'none', status: '404' })).toBeGreaterThan(0);
  });

  it('tell how published views were read, each by its address and by what came of it', async () => {
    const publish = async (slug?: string): Promise<string> => {
      const made = await acme.owner.post<{ id: string }>(`/workspaces/${acme.workspace.id}/views`, {
        name: `Published ${slug ?? 'without a name'}`,
        definition: { source: { table: acme.table.id } },
      });
      const { id } = expectStatus(made, 201);
      const api = await acme.owner.post<{ slug: string }>(`/views/${id}/api`, { slug, auth: 'public' });
      return expectStatus(api, 201).slug;
    };
    const ask = (slug: string, query = '', headers = {}) =>
      fetch(`${server.base}/public/views/${slug}/data${query}`, { headers });
    const calls = (publication: string) =>
      Promise.all(
        ['fresh', 'cached', 'not_modified', 'refused'].map(async (outcome) => [
          await figure('live_tables_published_calls_total', { publication, outcome }),
          await figure('live_tables_published_duration_seconds_count', { publication, outcome }),
        ]),
      );
    const slug = await publish('in-numbers');
    expect(await calls(slug)).toEqual([1, 2, 3, 4].map(() => [0, 0]));
    const etag = (await ask(slug)).headers.get('etag') ?? '';
    const bytes = (await (await ask(slug)).arrayBuffer()).byteLength;
    await ask(slug, '', { 'if-none-match': etag });
    await ask(slug, '?limit=0');
    await waitFor(async () => ((await calls(slug))[3]?.[0] === 1 ? true : undefined));
    expect(await calls(slug)).toEqual([1, 1, 1, 1].map((n) => [n, n]));
    expect(await figure('live_tables_published_bytes_total', { publication: slug })).toBe(bytes * 2);
    // What is not published has no series, and of an address that nobody shall guess the beginning is told.
    await ask('never-was');
    const secret = await publish();
    await ask(secret);
    await waitFor(async () => ((await calls(`${secret.slice(0, 6)}...`))[0]?.[0] === 1 ? true : undefined));
    expect((await read()).text).not.toMatch(new RegExp(`${secret}|never-was`));
  });

  it('tell of writes, of those who follow, and of what they were sent', async () => {
    const followers = await Promise.all([1, 2].map(() => socket(server.base, acme.owner.accessToken)));
    for (const each of followers) await each.ask('subscribe', { channel: `table:${acme.table.id}` });
    const [events, deliveries] = [
      await figure('live_tables_live_events_total'),
      await figure('live_tables_live_deliveries_total'),
    ];
    const committed = await figure('live_tables_write_batch_size_sum');
    expectStatus(await acme.owner.post(`/tables/${acme.table.id}/rows`, { fields: { name: 'Acme' } }), 201);
    for (const each of followers) await each.until(({ name }) => name === 'data:update');
    expect(await figure('live_tables_write_batch_size_sum')).toBe(committed + 1);
    expect(await figure('live_tables_live_events_total')).toBe(events + 1);
    expect(await figure('live_tables_live_deliveries_total')).toBe(deliveries + 2);
    expect(await figure('live_tables_sockets')).toBe(2);
    expect(await figure('live_tables_subscriptions', { kind: 'table' })).toBe(2);
    expect(await figure('live_tables_live_lag_changes')).toBe(0);
    expect(await figure('live_tables_mini_db_work_seconds_count', { stage: 'run' })).toBeGreaterThan(0);
    expect(await figure('live_tables_db_connections', { database: 'mini' })).toBeGreaterThan(0);
    expect(await figure('live_tables_cache_hits_total', { cache: 'base_metadata' })).toBeGreaterThan(0);
  });
});

describe('the dashboard and the alerts', () => {
  const ops = path.join(projectRoot, 'ops');
  const ofFile = (file: string) => readFileSync(path.join(ops, file), 'utf8');
  const { groups } = parse(ofFile('prometheus/alerts.yml')) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules);
  const dashboard = JSON.parse(ofFile('grafana/dashboard.json')) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const panels = dashboard.panels.flatMap(({ targets = [] }) => targets);

  beforeAll(() => server.app.get(Metrics).addProcess());

  it('ask only for what there is', async () => {
    const { text } = await read();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
    const expressions = [...alerts, ...panels].map(({ expr }) => expr);
    expect(expressions.length).toBeGreaterThan(40);
    const names = new Set(
      expressions.flatMap((each) => each.match(/\b(?:live_tables|http|nodejs|process)_\w+/g) ?? []),
    );
    const series = [...types].flatMap(([name, type]) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
    );
    expect([...names].filter((name) => !series.includes(name))).toEqual([]);
    // And what we tell of ourselves is shown somewhere.
    const shown = [...types].filter(
      ([name, type]) =>
        names.has(name) || (type === 'histogram' && names.has(`${name}_count`)) || names.has(`${name}_bucket`),
    );
    const own = [...types.keys()].filter((name) => name.startsWith('live_tables_') || name.startsWith('http_'));
    expect(own.filter((name) => !shown.some(([each]) => each === name))).toEqual([
      'live_tables_cache_entries',
      'live_tables_build',
    ]);
  });

  it('are such as Prometheus takes, and each alert speaks when it should and is silent when it should not', () => {
    const rules = path.join(ops, 'prometheus/alerts.test.yml');
    const tried = parse(ofFile('prometheus/alerts.test.yml')) as {
      readonly tests: readonly {
        readonly alert_rule_test: readonly { alertname: string; exp_alerts: readonly object[] }[];
      }[];
    };
    const named = tried.tests.flatMap((each) => each.alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0));
    expect(new Set(named.map(({ alertname }) => alertname))).toEqual(new Set(alerts.map(({ alert }) => alert)));
    const config = path.join(ops, 'prometheus/prometheus.yml');
    for (const args of [
      ['check', 'config', '--syntax-only', config],
      ['test', 'rules', rules],
    ])
      expect(promtool(args)).toMatchObject({ status: 0 });
    // Grafana fills in its variables; the rest is Prometheus' language, which its tool reads in rules only.
    const asRules = panels.map(({ expr }, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
    }));
    expect(asRules.filter(({ expr }) => expr.includes('$'))).toEqual([]);
    const file = path.join(ownFolder('panels'), 'panels.yml');
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules: asRules }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0 });
  });

  it('rest upon numbers that are told as Prometheus wants it', async () => {
    const { text } = promtool(['check', 'metrics'], (await read()).text);
    // Three names that the client library for Node gives to what it tells of the process.
    expect(text.split('\n').filter((line) => line !== '' && !/^nodejs_active_\w+_total /.test(line))).toEqual([]);
  });
});
