import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../src/config/index.js';
import { MiniDatabase, type PgRow, type PgStatement } from '../../src/database/mini/index.js';
import { afterThisFile } from '../harness/index.js';
import {
  dataRow,
  description,
  done,
  hostilePostgres,
  int16,
  int32,
  message,
  READY,
  type PostgresTalk,
} from '../support/hostile-postgres.js';

/* What no PostgreSQL sends to what we ask, but something between us and it might. */

const ASKED: PgStatement = { text: 'select $1::text', values: ['a'] };
const ROW = dataRow(['a']);
const copy = (type: string): Buffer => message(type, Buffer.of(0), int16(1), int16(0));
const PART = message('d', 'a row\n');
const COPIED = message('c');

const CLOSED = message('T', int16(1), 'closed\0', int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0));

/** Each is what comes to the first statement; all others are answered as they should be. */
const UNASKED: readonly (readonly [string, readonly Buffer[]])[] = [
  ['a description of rows', [description(1), ROW, done('SELECT 1'), READY]],
  ['a description behind rows', [ROW, description(1, 1), ROW, done('SELECT 1'), READY]],
  ['a part of the rows', [ROW, message('s'), READY]],
  ['the rows of a copy', [copy('H'), PART, PART, COPIED, done('COPY 2'), READY]],
  ['rows of a copy without its beginning', [PART, done('COPY 1'), READY]],
  ['a wish for the rows of a copy', [copy('G')]],
  ['a wish for the rows of a copy and more', [copy('G'), ROW, description(1), message('s'), PART, READY]],
];

async function connected(first: readonly Buffer[]) {
  let asked = 0;
  const server = await hostilePostgres({
    // Whether it takes writes, and what begins and ends transactions.
    query: (talk) => talk.send(CLOSED, dataRow(['f']), done('SELECT 1'), READY),
    execute: (talk: PostgresTalk) =>
      asked++ === 0 ? talk.send(...first) : talk.send(message('2'), ROW, done('SELECT 1'), READY),
  });
  const where = { host: '127.0.0.1', port: server.port, username: 'u', password: 'p', database: 'd', tls: false };
  const database = new MiniDatabase({ miniDb: { ...where, poolSize: 1 } } as AppConfig);
  afterThisFile(() => database.onApplicationShutdown());
  return { database, server };
}

const WAYS: readonly (readonly [string, (database: MiniDatabase, asked: PgStatement) => Promise<PgRow[]>])[] = [
  ['a statement', (database, asked) => database.query(asked)],
  ['a statement of bytes', (database, asked) => database.query({ ...asked, bytes: String })],
  ['a transaction', (database, asked) => database.transaction((session) => session.query(asked))],
];

describe.each(WAYS)('%s', (_, run) => {
  it.each(UNASKED)('that is answered by %s fails, and the next one is answered', async (__, first) => {
    const { database, server } = await connected(first);
    await expect(run(database, ASKED)).rejects.toThrow('not asked for');
    expect(await database.query(ASKED)).toEqual([['a']]);
    expect(server.open()).toBe(1);
  });
});
