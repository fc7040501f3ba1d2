import { spawn } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readAirports, takeTour, type Outcome } from '../../scripts/quickstart/tour.mjs';
import { projectRoot } from '../../src/config/index.js';
import {
  afterThisFile,
  databases,
  freePort,
  serverEnvironment,
  sql,
  startApp,
  type TestDatabases,
} from '../harness/index.js';

/** `npm run quickstart` as a process. */
async function quickstart(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [path.join(projectRoot, 'scripts/quickstart.mjs'), ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  afterThisFile(() => child.kill());
  let out = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, complaint: complaint.trim() };
}

describe('the quickstart', () => {
  const airports = readAirports();
  let base = '';
  let pair: TestDatabases;
  let outcome: Outcome;

  beforeAll(async () => {
    pair = await databases();
    ({ base } = await startApp({ databases: pair }));
    outcome = await takeTour({ base });
  }, 60_000);

  it('leaves all 3,376 airports in a table of their own in PostgreSQL, each value as in the file', async () => {
    const { schema, table } = outcome.physical;
    const rows = await sql(
      pair.mini,
      `select iata, name, city, state, latitude::text, longitude::text from "${schema}"."${table}" order by iata`,
    );
    const expected = airports
      .map(({ country: _country, ...airport }) =>
        airport.iata === 'JFK' ? { ...airport, name: 'John F. Kennedy International' } : airport,
      )
      .sort((a, b) => (a.iata < b.iata ? -1 : 1));
    expect(rows).toEqual(expected);
  });

  it('takes one number per bulk call and one for the edit, and logs every change under it', async () => {
    const log = await sql(
      pair.mini,
      `select seq::int, op, count(*)::int as changes from "${outcome.physical.schema}"._change where table_id = $1 group by seq, op order by seq`,
      [outcome.tableId],
    );
    expect(log).toEqual([
      { seq: 1, op: 'create', changes: 1_000 },
      { seq: 2, op: 'create', changes: 1_000 },
      { seq: 3, op: 'create', changes: 1_000 },
      { seq: 4, op: 'create', changes: 376 },
      { seq: 5, op: 'update', changes: 1 },
    ]);
  });

  it("shows one person's edit to the other", () => {
    const jfk = outcome.rows.get('JFK');
    expect(outcome.event).toMatchObject({
      prev: 4,
      seq: 5,
      actor: { name: 'Grace Hopper', clientId: 'graces-tab' },
      updated: [{ id: jfk?.id, version: 2, fields: { name: 'John F. Kennedy International' } }],
    });
  });

  it('prints each call and the event, and ends with exit code 0', async () => {
    const { code, out } = await quickstart(['--base', base]);
    expect(out).toContain('POST  /tables/{tableId}/rows/bulk');
    expect(out).toContain('Ada receives data:update');
    expect(out).toContain('"clientId": "graces-tab"');
    expect(out).toContain('Everything was as expected.');
    expect(code).toBe(0);
  });

  it('starts a server of its own where none runs, and stops it', async () => {
    const port = await freePort();
    const { code, out, complaint } = await quickstart([], { ...(await serverEnvironment({})), PORT: String(port) });
    expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
    expect(out).toContain('Everything was as expected.');
    await expect(fetch(`http://127.0.0.1:${port}/api/v1/health`)).rejects.toThrow();
  }, 120_000);

  it('says in one sentence what is wrong, and exits with 1', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    expect(await quickstart(['--base', nowhere])).toEqual({
      code: 1,
      out: '',
      complaint: `No Live Tables server answers at ${nowhere}: start it with npm start, or leave --base out.`,
    });
  });

  it('notices a server that does not do what it should', async () => {
    const liar = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      const health = { details: { application: { name: 'live-tables-backend' } } };
      response.end(JSON.stringify(request.url === '/api/v1/health' ? health : {}));
    });
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const { code, complaint } = await quickstart([
      '--base',
      `http://127.0.0.1:${(liar.address() as AddressInfo).port}`,
    ]);
    liar.close();
    expect({ code, complaint }).toEqual({ code: 1, complaint: 'POST /auth/register answered 200 instead of 201.' });
  });
});
