import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, it, jest } from '@jest/globals';
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

/** Runs a tour to its end: what it printed, and its exit code. */
async function tour(name: string, arguments_: readonly string[]) {
  const child = spawn(process.execPath, [path.join(projectRoot, `scripts/${name}.mjs`), ...arguments_]);
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { out, code };
}

jest.setTimeout(120_000);

it('the tour of external databases gets the same answers from a PostgreSQL, a MySQL or MariaDB, and a MongoDB', async () => {
  const [{ base }, { main }, mysql, mongo] = await Promise.all([
    startApp(),
    databases({ migrated: false }),
    mysqlDatabase(),
    startMongo(),
  ]);
  const arguments_ = ['--base', base, '--postgres', url('postgresql', main), '--mysql', url('mysql', mysql), '--mongodb', url('mongodb', mongo)]; // prettier-ignore
  const { out, code } = await tour('sources-tour', arguments_);
  expect(out).toContain('The same answers from postgres, mysql, mongodb.');
  expect(code).toBe(0);
  // What is read is read, and not only the same everywhere.
  expect(out).toContain('{"origin":"USA","cars":254,"power":"119.9');
  expect(out).toContain(
    '{"name":"pontiac safari (sw)","horsepower":175,"weight_in_lbs":5140,"built":"1971-01-01T00:00:00.000Z"}',
  );
});

it('the tour of views joins a table of this server, one in MySQL or MariaDB and a collection in MongoDB, to what is counted by hand', async () => {
  const [{ base }, mysql, mongo] = await Promise.all([startApp(), mysqlDatabase(), startMongo()]);
  const arguments_ = ['--base', base, '--mysql', url('mysql', mysql), '--mongodb', url('mongodb', mongo)];
  const { out, code } = await tour('views-tour', arguments_);
  expect(out).toContain('The same as counted by hand from the file.');
  expect(code).toBe(0);
  expect(out).toContain('"title":"Avatar"');
  expect(out.match(/join-engine/g)).toHaveLength(2);
});
