import http from 'node:http';
import { beforeAll, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  databases,
  expectStatus,
  startNode,
  waitFor,
  world,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

let pair: TestDatabases;
let node: TestNode;
let at: World;

beforeAll(async () => {
  pair = await databases();
  node = await startNode({ databases: pair, env: { LOG_LEVEL: 'info' } });
  at = await world(node.base);
  const ops = Array.from({ length: 500 }, (_, n) => ({ op: 'create', fields: { name: `Name ${n}`, qty: n } }));
  expectStatus(await at.owner.post(`/tables/${at.table.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
}, 60_000);

/** Asks while somebody holds the table, hangs up once the query waits, and lets it go then: the answer finds nobody. */
async function askAndLeave(path: string, encoding: string, body?: object): Promise<void> {
  const { schema, table } = at.table.physical;
  await asSuperuser(pair.mini.database, async (db) => {
    await db.query(`begin; lock table "${schema}"."${table}" in access exclusive mode`);
    const asking = http.request(`${node.base}/api/v1${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        ...{ authorization: `Bearer ${at.owner.accessToken}`, 'accept-encoding': encoding },
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
    });
    const hungUp = new Promise((resolve) => asking.once('error', resolve));
    asking.end(body && JSON.stringify(body));
    await waitFor(async () => {
      const { rows } = await db.query('select from pg_locks where not granted and relation = $1::regclass', [
        `"${schema}"."${table}"`,
      ]);
      return rows.length > 0;
    });
    asking.destroy();
    await hungUp;
    await db.query('rollback');
  });
}

it.each([
  // A body that was read to its end: nothing of the request itself tells that its caller has gone.
  ['rows/query', 'gzip', {}],
  ['rows/query', 'br', {}],
  ['rows/query', 'identity', {}],
  ['rows?limit=500', 'gzip', undefined],
  ['rows?limit=500', 'br', undefined],
  ['rows?limit=500', 'identity', undefined],
  ['export', 'gzip', undefined],
  ['export', 'identity', undefined],
])('a caller of %s (%s) who has gone is no failure of the server', async (path, encoding, body) => {
  const before = node.output().length;
  await askAndLeave(`/tables/${at.table.id}/${path}`, encoding, body);
  // One more answer, so that whatever there is to say has been said.
  expectStatus(await at.owner.get(`/last/word`), 404);
  await waitFor(() => node.output().slice(before).includes('/last/word'));
  expect(node.output().slice(before)).not.toMatch(/premature|ERROR|WARN/i);
});
