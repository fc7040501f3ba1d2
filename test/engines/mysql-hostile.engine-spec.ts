import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ExternalLimits, FoundObject } from '../../src/engines/external/index.js';
import { MysqlEngine } from '../../src/engines/external/mysql/index.js';
import type { ObjectSchema } from '../../src/query/index.js';
import {
  afterThisFile,
  CA_CERTIFICATE,
  mysqlDatabase,
  OTHER_CERTIFICATE,
  OTHER_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  tcpProxy,
  waitFor,
  type TestMysql,
} from '../harness/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, target } from '../support/external.js';
import {
  FILE_REQUEST,
  greeting,
  hostileMysql,
  OK,
  refusal,
  sendColumns,
  sendRows,
  signInBy,
  textRow,
  type Script,
  type Talk,
} from '../support/hostile-mysql.js';
import { below, randomOf } from '../support/random.js';

/** Short, so that what hangs is noticed soon. */
const SHORT: ExternalLimits = { ...LIMITS, connectMs: 1_000, statementMs: 500, maxBytes: 1_000_000 };
const PASSWORD = 'hunter2 of the tests';

const opened = (over: Partial<Parameters<typeof target>[0]>, limits = SHORT): MysqlEngine => {
  const engine = new MysqlEngine(target({ password: PASSWORD, ...over }), limits, ANYWHERE);
  afterThisFile(() => engine.close());
  return engine;
};

/** A page of two columns, `id` and `name`, behind which stands the key. */
const FOUND: FoundObject = {
  schema: 'example',
  name: 'people',
  kind: 'table',
  columns: [
    { key: 'id', nativeType: 'int', type: 'integer', options: {}, form: 'int', nullable: false },
    { key: '__proto__', nativeType: 'text', type: 'text', options: {}, form: 'text', nullable: true },
  ],
  primaryKey: ['id'],
  uniqueKeys: [],
  foreignKeys: [],
  estimatedRows: null,
};
const OBJECT: ObjectSchema = objectOf(FOUND);
const COLUMNS = ['c0', '__proto__', 'k0'];
const page = (engine: MysqlEngine, limit = 10) => engine.read(readOf(OBJECT, { limit }));

/** What a page of such a server comes to: never a part of it, and soon. (What is thrown where nobody catches it fails the test by Jest.) */
async function verdict(script: Script, limits = SHORT): Promise<{ readonly code: unknown; readonly detail: unknown }> {
  const server = await hostileMysql(script);
  const engine = opened({ port: server.port }, limits);
  const before = Date.now();
  const error = await page(engine).then(
    (answer) => ({ code: 'answered', detail: answer }),
    (thrown: unknown) => thrown as { code: unknown; detail: unknown },
  );
  expect(Date.now() - before).toBeLessThan(10_000);
  expect(JSON.stringify(error)).not.toContain(PASSWORD);
  await engine.close();
  await waitFor(() => server.open() === 0);
  return { code: error.code, detail: error.detail };
}

describe('a server that asks for a file', () => {
  it.each([
    ['execute', { execute: (talk: Talk) => talk.send(FILE_REQUEST) }],
    ['prepare', { prepare: (talk: Talk) => talk.send(FILE_REQUEST) }],
    ['set', { query: (talk: Talk) => talk.send(FILE_REQUEST) }],
    ['sign-in', { afterSignIn: (talk: Talk) => talk.send(FILE_REQUEST) }],
  ] as const)('in the place of an answer to %s gets nothing, and is left', async (_step, script) => {
    let asked: number | undefined;
    const server = await hostileMysql(
      Object.fromEntries(
        Object.entries(script).map(([step, act]) => [
          step,
          (talk: Talk) => {
            asked ??= server.received().length;
            act(talk);
          },
        ]),
      ),
    );
    await expect(page(opened({ port: server.port }))).rejects.toMatchObject({ code: 'source_failed' });
    await waitFor(() => server.open() === 0);
    expect(server.received().length).toBe(asked);
  });
});

describe('a server that says nothing', () => {
  it('when somebody comes is not waited for', async () => {
    expect(await verdict({ greeting: () => undefined })).toMatchObject({ code: 'source_unreachable' });
  });

  it('when somebody signs in is not waited for', async () => {
    expect(await verdict({ afterSignIn: () => undefined })).toMatchObject({ code: 'source_unreachable' });
  });

  it('when it is asked is left when time is up', async () => {
    expect(await verdict({ execute: () => undefined })).toMatchObject({ code: 'source_timeout' });
    expect(await verdict({ prepare: () => undefined })).toMatchObject({ code: 'source_timeout' });
  });

  it('but a byte now and then is left when time is up', async () => {
    const dribble = (talk: Talk) => {
      sendColumns(talk, COLUMNS);
      talk.raw(Buffer.from([0xff, 0xff, 0xfe, 9]));
      const timer = setInterval(() => talk.raw(Buffer.from([0])) || clearInterval(timer), 50);
      talk.socket.once('close', () => clearInterval(timer));
    };
    expect(await verdict({ execute: dribble })).toMatchObject({ code: 'source_timeout' });
  });

  it('is left as soon as the caller goes away', async () => {
    const server = await hostileMysql({ execute: () => undefined });
    const engine = opened({ port: server.port }, LIMITS);
    const caller = new AbortController();
    const asked = engine.read(readOf(OBJECT), caller.signal);
    await waitFor(() => server.received().includes('select'));
    caller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    await waitFor(() => server.open() === 0);
  });
});

describe('a server that says too much', () => {
  const endless = (payload: Buffer) => (talk: Talk) => {
    sendColumns(talk, COLUMNS);
    talk.endlessly(() => talk.send(payload));
  };

  it('in rows without an end is left', async () => {
    expect(await verdict({ execute: endless(textRow(['1', 'x', '1'])) })).toMatchObject({ code: 'source_failed' });
  });

  it('in cells without an end is left at the limit of bytes', async () => {
    const giant = (talk: Talk) => {
      sendColumns(talk, COLUMNS);
      talk.endlessly(() => talk.raw(Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 9]), Buffer.alloc(0xffffff, 0x78)])));
    };
    expect(await verdict({ execute: giant })).toMatchObject({ code: 'answer_too_large' });
    expect(await verdict({ execute: endless(textRow(['1', 'x'.repeat(300_000), '1'])) })).toMatchObject({
      code: 'answer_too_large',
    });
  });

  it.each([
    ['columns', (talk: Talk) => talk.send(Buffer.from([0xfd, 0xff, 0xff, 0xff]))],
    ['columns of 2^63', (talk: Talk) => talk.send(Buffer.concat([Buffer.from([0xfe]), Buffer.alloc(8, 0x7f)]))],
  ] as const)('in %s is left', async (_what, head) => {
    const definitions = (talk: Talk) => {
      head(talk);
      talk.endlessly(() => talk.send(Buffer.from([0])));
    };
    expect(await verdict({ execute: definitions }, { ...SHORT, statementMs: 5_000 })).toMatchObject({
      code: expect.stringMatching(/^(source_failed|answer_too_large)$/) as unknown,
    });
  });

  it('before anybody is signed in is left', async () => {
    const greetings = (talk: Talk) => talk.endlessly(() => talk.send(greeting(false)));
    expect(await verdict({ greeting: greetings })).toMatchObject({
      code: expect.stringMatching(/^(source_failed|answer_too_large)$/) as unknown,
    });
  });

  it('unasked is left, and the next caller comes to a new session', async () => {
    let talks: Talk[] = [];
    const server = await hostileMysql({
      execute: (talk) => {
        talks.push(talk);
        sendRows(talk, COLUMNS, [['1', 'x', '1']]);
      },
    });
    const engine = opened({ port: server.port });
    for (let round = 0; round < 3; round++) {
      await expect(page(engine)).resolves.toMatchObject({ rows: 1 });
      for (const talk of talks) talk.raw(Buffer.concat([Buffer.from([OK.length, 0, 0, 0]), OK]));
      talks = [];
      await waitFor(() => server.open() === 0);
    }
  });
});

describe('a server that makes no sense', () => {
  const numbers = randomOf(20_261_126);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => below(numbers, 256)));
  const anyFailure = expect.stringMatching(
    /^(source_failed|source_unreachable|source_timeout|answer_too_large)$/,
  ) as unknown;

  it.each(['greeting', 'afterSignIn', 'query', 'prepare', 'execute'] as const)('at %s does no harm', async (step) => {
    const many = Array.from({ length: 20 }, (_each, i) => noise(1 + i * 40));
    // Once as it comes, and once as a packet in its turn, which gets further.
    const scripts = many.flatMap((bytes) => [
      { [step]: (talk: Talk) => talk.raw(bytes) },
      { [step]: (talk: Talk) => talk.send(bytes) },
    ]);
    const quick = { ...SHORT, connectMs: 300, statementMs: 100 };
    for (const { code } of await Promise.all(scripts.map((script) => verdict(script, quick))))
      expect(code).toEqual(anyFailure);
  });

  it('in what begins well does no harm', async () => {
    const scripts = Array.from({ length: 20 }, (_each, i) => ({
      execute: (talk: Talk) => {
        sendColumns(talk, COLUMNS);
        talk.send(Buffer.concat([Buffer.from([0, 0]), noise(1 + i)]));
        talk.send(Buffer.from([0xfe, 0, 0, 2, 0]));
      },
    }));
    for (const { code } of await Promise.all(scripts.map((script) => verdict(script))))
      expect(code).toEqual(anyFailure);
  });

  it('and says that it is done in the place of rows gives no empty page', async () => {
    expect(await verdict({ execute: (talk) => talk.send(OK) })).toMatchObject({ code: 'source_failed' });
  });

  it('and gives fewer columns than were asked for gives no page', async () => {
    expect(await verdict({ execute: (talk) => sendRows(talk, ['c0'], [['1']]) })).toMatchObject({
      code: 'source_failed',
    });
  });

  it('and numbers its packets as it likes is left', async () => {
    const outOfOrder = (talk: Talk) => talk.raw(Buffer.concat([Buffer.from([OK.length, 0, 0, 77]), OK]));
    expect(await verdict({ execute: outOfOrder })).toMatchObject({ code: 'source_failed' });
  });

  it.each([
    ['a number', ['1"},{"fields":{', 'x', '1']],
    ['a number that is too long', ['1'.repeat(400), 'x', '1']],
  ])('in the place of %s spoils the whole page', async (_what, cells) => {
    const rows = [['1', 'x', '1'], cells];
    expect(await verdict({ execute: (talk) => sendRows(talk, COLUMNS, rows) })).toMatchObject({
      code: 'source_failed',
    });
  });

  it('in names of columns changes nothing but texts', async () => {
    const server = await hostileMysql({
      execute: (talk) => sendRows(talk, ['__proto__', 'constructor', '__proto__'], [['1', '{"polluted":true}', '1']]),
    });
    const { data } = await page(opened({ port: server.port }));
    expect(data).toBe('{"fields":{"id":1,"__proto__":"{\\"polluted\\":true}"}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a server that goes away', () => {
  it.each([
    ['before it greets', { greeting: (talk: Talk) => talk.socket.destroy() }, 'source_unreachable'],
    ['while somebody signs in', { afterSignIn: (talk: Talk) => talk.socket.destroy() }, 'source_unreachable'],
    ['before it answers', { execute: (talk: Talk) => talk.socket.destroy() }, 'source_failed'],
    [
      'in the middle of a page',
      {
        execute: (talk: Talk) => {
          sendColumns(talk, COLUMNS);
          talk.send(textRow(['1', 'x', '1']));
          talk.socket.end();
        },
      },
      'source_failed',
    ],
  ] as const)('%s gives no part of a page', async (_when, script, code) => {
    expect(await verdict(script)).toMatchObject({ code });
  });

  it('keeps its last words to itself', async () => {
    const words = refusal(1064, `near '${PASSWORD}' in /var/lib/mysql`);
    expect(await verdict({ execute: (talk) => talk.send(words) })).toEqual({
      code: 'source_failed',
      detail: undefined,
    });
    const kept = await verdict({ afterSignIn: (talk) => talk.send(refusal(1045, PASSWORD)) });
    expect(kept).toMatchObject({ code: 'source_unreachable' });
  });
});

describe('a password', () => {
  it('is never sent in clear to who is not vouched for', async () => {
    for (const tls of [{ mode: 'disable' }, { mode: 'require' }] as const) {
      const server = await hostileMysql({
        afterSignIn: (talk) => talk.send(signInBy('mysql_clear_password')),
        certificate: { cert: SERVER_CERTIFICATE, key: SERVER_KEY },
      });
      await expect(page(opened({ port: server.port, tls }))).rejects.toMatchObject({ code: 'source_unreachable' });
      expect(server.received().includes(PASSWORD)).toBe(false);
    }
  });

  it('is not even hashed for a server without the TLS that is asked for', async () => {
    for (const mode of ['require', 'verify-full'] as const) {
      const server = await hostileMysql({});
      await expect(page(opened({ port: server.port, tls: { mode } }))).rejects.toMatchObject({
        code: 'source_unreachable',
      });
      expect(server.received()).toHaveLength(0);
    }
  });

  it.each([
    ['of another host', '127.0.0.1', OTHER_CERTIFICATE, OTHER_KEY, CA_CERTIFICATE],
    ['of another host, by name', 'localhost', OTHER_CERTIFICATE, OTHER_KEY, CA_CERTIFICATE],
    ['of an authority that nobody knows', '127.0.0.1', SERVER_CERTIFICATE, SERVER_KEY, undefined],
  ] as const)('is not given for a certificate %s', async (_what, host, cert, key, ca) => {
    const server = await hostileMysql({ certificate: { cert, key } });
    const engine = opened({
      host,
      port: server.port,
      tls: { mode: 'verify-full', ...(ca === undefined ? {} : { ca }) },
    });
    await expect(page(engine)).rejects.toMatchObject({
      code: 'source_unreachable',
      detail: expect.stringContaining('TLS') as unknown,
    });
    expect(server.received().includes('reader')).toBe(false);
  });
});

describe('with a real server', () => {
  let database: TestMysql;
  beforeAll(async () => {
    database = await mysqlDatabase();
    await database.sql(`
      create table people (id int primary key, name varchar(20)); insert into people values (1, 'Ada'), (2, 'Grace');
      create view slow as select id, sleep(20) as s from people;
      create view computed as select id, 9223372036854775807 + id as s from people;
      create view large as select id, repeat('x', 1000000) as s from people;
      create function sneaky() returns int begin insert into people values (9, 'x'); return 1; end;
      create view writing as select id, sneaky() as s from people;`);
  });
  const object = async (engine: MysqlEngine, name: string): Promise<ObjectSchema> => {
    const found = (await engine.discover()).find((each) => each.name === name);
    if (!found) throw new Error(`no ${name}`);
    return objectOf({ ...found, primaryKey: ['id'] });
  };

  it('speaks TLS, whoever it is, or only with who is vouched for, by name and by address', async () => {
    for (const host of ['127.0.0.1', 'localhost'])
      for (const tls of [{ mode: 'require' }, { mode: 'verify-full', ca: CA_CERTIFICATE }] as const)
        await expect(opened({ ...database, host, tls }, LIMITS).probe()).resolves.toMatchObject({
          serverVersion: expect.any(String) as unknown,
        });
    await expect(opened({ ...database, tls: { mode: 'verify-full' } }, LIMITS).probe()).rejects.toMatchObject({
      code: 'source_unreachable',
    });
  });

  it('stops what takes too long there, and goes on with the same session', async () => {
    const engine = opened({ ...database }, { ...SHORT, maxBytes: 10_000_000 });
    const slow = await object(engine, 'slow');
    await expect(engine.read(readOf(slow))).rejects.toMatchObject({ code: 'source_timeout' });
    expect(await fieldsOf(engine, readOf(await object(engine, 'people')))).toHaveLength(2);
  });

  it('does not say of a view that computes too large a number that values of ours were refused', async () => {
    const engine = opened({ ...database }, LIMITS);
    const computed = await object(engine, 'computed');
    await expect(engine.read(readOf(computed))).rejects.toMatchObject({ code: 'source_failed' });
  });

  it('takes no more bytes than are allowed, and goes on', async () => {
    const engine = opened({ ...database }, { ...LIMITS, maxBytes: 1_500_000 });
    const large = await object(engine, 'large');
    await expect(engine.read(readOf(large))).rejects.toMatchObject({ code: 'answer_too_large' });
    await expect(engine.read(readOf(large, { limit: 1, select: large.key }))).resolves.toMatchObject({ rows: 1 });
  });

  it('writes nothing by reading, also where a view would', async () => {
    const engine = opened({ ...database, access: 'read-write' }, LIMITS);
    await expect(engine.read(readOf(await object(engine, 'writing')))).rejects.toMatchObject({ code: 'source_failed' });
    expect(await database.sql('select count(*) as n from people')).toEqual([{ n: 2 }]);
  });

  it('serves a few at once, lets some wait, and tells the others', async () => {
    const engine = opened({ ...database }, { ...LIMITS, maxSessions: 2, statementMs: 1_000 });
    const slow = await object(engine, 'slow');
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => engine.read(readOf(slow))));
    const codes = all.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'answered'));
    expect(codes.filter((code) => code === 'source_busy').length).toBeGreaterThanOrEqual(40 - 2 - 16);
    expect(codes.filter((code) => code === 'source_timeout').length).toBeGreaterThanOrEqual(2);
    await expect(engine.probe()).resolves.toBeDefined();
    const sessions = await database.sql(
      `select id from information_schema.processlist where user = '${database.username}'`,
    );
    expect(sessions.length).toBeLessThanOrEqual(12);
  });

  it('ends sessions that nobody uses', async () => {
    const own = await mysqlDatabase();
    const engine = opened({ ...own }, { ...LIMITS, idleMs: 100 });
    await engine.probe();
    const sessions = () =>
      database.sql("select id from information_schema.processlist where user = '" + own.username + "'");
    await waitFor(
      async () =>
        (
          await own.sql(
            "select id from information_schema.processlist where command = 'Sleep' and user = '" + own.username + "'",
          )
        ).length === 0,
    );
    expect(await sessions()).toHaveLength(0);
  });

  it('comes back by itself each of twenty times that the way to it is cut, and others do not notice', async () => {
    const proxy = await tcpProxy(database);
    const [cut, other] = [opened({ ...database, port: proxy.port }, LIMITS), opened({ ...database }, LIMITS)];
    const people = await object(other, 'people');
    for (let round = 0; round < 20; round++) {
      expect(await fieldsOf(cut, readOf(people))).toHaveLength(2);
      await proxy.cut();
      await expect(cut.read(readOf(people))).rejects.toMatchObject({ code: 'source_unreachable' });
      expect(await fieldsOf(other, readOf(people))).toHaveLength(2);
      await proxy.mend();
    }
    // A session that broke unnoticed is replaced within the same call.
    await fieldsOf(cut, readOf(people));
    await proxy.cut();
    await proxy.mend();
    expect(await fieldsOf(cut, readOf(people))).toHaveLength(2);
  });

  it('refuses servers that are too old', async () => {
    const server = await hostileMysql({ greeting: (talk) => talk.send(greeting(false, '5.5.5-10.3.39-MariaDB')) });
    await expect(opened({ port: server.port }).probe()).rejects.toMatchObject({
      code: 'not_supported_by_source',
      detail: 'The server is MariaDB 10.3; MySQL 8.0, MariaDB 10.5 or newer are needed.',
    });
  });
});
