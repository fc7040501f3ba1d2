import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { databases, mysqlDatabase, startApp } from '../harness/index.js';
import { startMongo } from '../harness/mongo/index.js';

interface At {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}
const url = (scheme: string, { host, port, username, password, database }: At, more = ''): string =>
  `${scheme}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}:${port}/${database}${more}`;

it('the tour of external databases gets the same answers from a PostgreSQL, a MySQL or MariaDB, and a MongoDB', async () => {
  const [{ base }, { main }, mysql, mongo] = await Promise.all([
    startApp(),
    databases({ migrated: false }),
    mysqlDatabase(),
    startMongo(),
  ]);
  const arguments_ = ['--base', base, '--postgres', url('postgresql', main), '--mysql', url('mysql', mysql), '--mongodb', url('mongodb', mongo)]; // prettier-ignore
  const child = spawn(process.execPath, [path.join(projectRoot, 'scripts/sources-tour.mjs'), ...arguments_]);
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(out).toContain('The same answers from postgres, mysql, mongodb.');
  expect(code).toBe(0);
  // What is read is read, and not only the same everywhere.
  expect(out).toContain('{"origin":"USA","cars":254,"power":"119.9');
  expect(out).toContain(
    '{"name":"pontiac safari (sw)","horsepower":175,"weight_in_lbs":5140,"built":"1971-01-01T00:00:00.000Z"}',
  );
});
