import { describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/index.js';
import type { ExternalLimits, Outbound } from '../../src/engines/external/index.js';
import { AddressPolicy, PolicedOutbound } from '../../src/engines/external/outbound/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import {
  afterThisFile,
  databases,
  OTHER_CERTIFICATE,
  OTHER_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  CA_CERTIFICATE,
  sql,
  tcpProxy,
  waitFor,
} from '../harness/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, target } from '../support/external.js';
import {
  authentication,
  dataRow,
  description,
  done,
  hostilePostgres,
  int16,
  int32,
  message,
  READY,
  refusal,
  sendRows,
  type PostgresScript,
  type PostgresTalk,
} from '../support/hostile-postgres.js';
import { below, randomOf } from '../support/random.js';

/** Short, so that what hangs is noticed soon. */
const SHORT: ExternalLimits = { ...LIMITS, connectMs: 1_000, statementMs: 500, maxBytes: 1_000_000 };
const PASSWORD = 'hunter2 of the tests';

const opened = (
  over: Partial<Parameters<typeof target>[0]>,
  limits = SHORT,
  outbound: Outbound = ANYWHERE,
): PostgresEngine => {
  const engine = new PostgresEngine(target({ engine: 'postgresql', password: PASSWORD, ...over }), limits, outbound);
  afterThisFile(() => engine.close());
  return engine;
};

/** A page of two columns, behind whose JSON stands the key. */
const OBJECT = objectOf({
  schema: 'public',
  name: 'people',
  kind: 'table',
  columns: [
    { key: 'id', nativeType: 'integer', type: 'integer', options: {}, form: 'int', nullable: false },
    { key: '__proto__', nativeType: 'text', type: 'text', options: {}, form: 'text', nullable: true },
  ],
  primaryKey: ['id'],
  uniqueKeys: [],
  foreignKeys: [],
  estimatedRows: null,
});
const ROW = ['{"id":1,"__proto__":"x"}', '1'];
const where = { kind: 'compare', column: OBJECT.columns[0], op: 'gt', value: 0 } as never;
const page = (engine: PostgresEngine, limit = 10) => engine.read(readOf(OBJECT, { limit, where }));

/** What a page of such a server comes to: never a part of it, and soon. (What is thrown where nobody catches it fails the test by Jest.) */
async function verdict(
  script: PostgresScript,
  limits = SHORT,
): Promise<{ readonly code: unknown; readonly detail: unknown }> {
  const server = await hostilePostgres(script);
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

const execute = (...messages: readonly Buffer[]): PostgresScript => ({ execute: (talk) => talk.send(...messages) });
const rows = (...of: readonly (readonly string[])[]): PostgresScript => ({ execute: (talk) => sendRows(talk, of, 2) });

it('a server that does as it should is understood', async () => {
  expect(await verdict(rows(ROW))).toMatchObject({
    code: 'answered',
    detail: { rows: 1, data: `{"fields":${ROW[0]}}` },
  });
});

describe('a row that is not one JSON object of what was asked for', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{"id":1,"__proto__":"x"'],
    ['several objects', '{"id":1,"__proto__":"x"},{"id":2,"__proto__":"y"}'],
    ['one that ends the row and begins another', '{"id":1,"__proto__":"x"}},{"fields":{"id":2,"__proto__":"y"}'],
    ['a list', '[1,2]'],
    ['a scalar', 'null'],
    ['fewer columns', '{"id":1}'],
    ['more columns', '{"id":1,"__proto__":"x","secret":1}'],
    ['other columns', '{"id":1,"prototype":"x"}'],
  ])('(%s) spoils the whole page', async (_what, json) => {
    expect(await verdict(rows(ROW, [json, '2']))).toMatchObject({ code: 'source_failed' });
  });

  it('spoils it also where two would make a page together', async () => {
    const halves = [['{"id":1,"__proto__":[{}', '1'], ['{}]}', '2']]; // prettier-ignore
    expect(await verdict(rows(...halves))).toMatchObject({ code: 'source_failed' });
  });

  it('changes nothing but texts by its names', async () => {
    const server = await hostilePostgres(rows(['{"id":1,"__proto__":{"polluted":true}}', '1']));
    await expect(page(opened({ port: server.port }))).resolves.toMatchObject({ rows: 1 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a server that says nothing', () => {
  it.each([
    ['when somebody comes', { startup: () => undefined }, 'source_unreachable'],
    ['when the session is set up', { query: () => undefined }, 'source_unreachable'],
    ['when it is asked', { execute: () => undefined }, 'source_timeout'],
    ['but that it waits for rows', execute(message('G', Buffer.of(0), int16(0))), 'source_timeout'],
  ] as const)('%s is not waited for', async (_when, script, code) => {
    expect(await verdict(script)).toMatchObject({ code });
  });

  it('is asked to stop and left, when time is up and as soon as the caller goes away', async () => {
    const server = await hostilePostgres({ execute: () => undefined });
    await expect(page(opened({ port: server.port }))).rejects.toMatchObject({ code: 'source_timeout' });
    await waitFor(() => server.cancelled() === 1);
    const caller = new AbortController();
    const asked = opened({ port: server.port }, LIMITS).read(readOf(OBJECT, { where }), caller.signal);
    const before = server.received().length;
    await waitFor(() => server.received().subarray(before).includes('select'));
    caller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    await waitFor(() => server.cancelled() === 2 && server.open() === 0);
  });
});

describe('a server that says too much', () => {
  const endless = (...messages: readonly Buffer[]): PostgresScript => ({
    execute: (talk) => {
      talk.send(description(2));
      talk.endlessly(() => talk.send(...messages));
    },
  });

  it('in rows without an end is left', async () => {
    expect(await verdict(endless(dataRow(ROW)))).toMatchObject({ code: 'source_failed' });
  });

  it.each([
    ['notices', message('N', 'SNOTICE\0\0')],
    ['settings', message('S', 'a\0b\0')],
    ['words that it is done', done('SELECT 1')],
    ['descriptions', description(2)],
    ['parts of an answer', message('s')],
    ['rows of a copy', message('d', 'a row\n')],
    ['wishes for rows', message('G', Buffer.of(0), int16(0))],
  ])('in %s without an end is left', async (_what, bytes) => {
    expect(await verdict(endless(bytes), { ...SHORT, statementMs: 5_000 })).toMatchObject({
      code: expect.stringMatching(/^(source_failed|answer_too_large)$/) as unknown,
    });
  });

  it('in a cell without an end is left at the limit of bytes', async () => {
    const giant = (talk: PostgresTalk) => {
      talk.send(description(2), Buffer.from('D'), int32(0x7fffffff), int16(2), int32(0x7ffffff0));
      talk.endlessly(() => talk.raw(Buffer.alloc(100_000, 0x78)));
    };
    expect(await verdict({ execute: giant })).toMatchObject({ code: 'answer_too_large' });
  });

  it('before anybody is signed in is left', async () => {
    const startup = (talk: PostgresTalk) =>
      talk.endlessly(() => talk.send(...Array.from({ length: 1_000 }, () => message('S', 'a\0b\0'))));
    expect(await verdict({ startup })).toMatchObject({
      code: expect.stringMatching(/^(source_failed|answer_too_large)$/) as unknown,
    });
  });
});

describe('a server that makes no sense', () => {
  const numbers = randomOf(20_261_126);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => below(numbers, 256)));
  const anyFailure = expect.stringMatching(/^(source_failed|source_unreachable|source_timeout|source_busy|answer_too_large|not_supported_by_source)$/) as unknown; // prettier-ignore
  const TYPES = '1234567ACDEGHIKNRSTVWZcdnst';

  it.each(['startup', 'query', 'execute'] as const)('at %s does no harm', async (step) => {
    const many = Array.from({ length: 12 }, (_each, i) => noise(1 + i * 40));
    // Once as it comes, and once as the body of each message that there is, which gets further.
    // But for the word that it is ready, after which it would go on as it should.
    const types = [...TYPES].filter((type) => step !== 'startup' || type !== 'Z');
    const scripts = [...many, ...types.map((type, i) => message(type, noise(i)))].map((bytes) => ({
      [step]: (talk: PostgresTalk) => talk.send(bytes),
    }));
    const quick = { ...SHORT, connectMs: 300, statementMs: 100 };
    for (const { code } of await Promise.all(scripts.map((script) => verdict(script, quick))))
      expect(code).toEqual(anyFailure);
  });

  it.each([
    ['an error whose fields do not end', message('E', 'SERROR\0')],
    ['a notice without a byte', message('N')],
    ['a notice that ends in the next message', message('N', 'S')],
    ['a length below its own', Buffer.from([0x45, 0, 0, 0, 0])],
    ['more cells than there are', Buffer.concat([description(2), message('D', int16(3000))])],
    ['a negative number of cells', message('D', int16(-1))],
    ['a row before it is described', dataRow(ROW)],
    ['a way to sign in that nobody knows', authentication(99)],
    ['a message that nobody knows', message('?')],
  ])('(%s) is left at once', async (_what, bytes) => {
    const script = { execute: (talk: PostgresTalk) => talk.send(bytes, READY) };
    expect(await verdict(script)).toMatchObject({ code: 'source_failed' });
  });

  it.each([
    ['that it is done in the place of rows', execute(done('SELECT 0'), READY)],
    ['nothing in the place of rows', execute(READY)],
    ['that the statement was empty', execute(message('I'), READY)],
    ['a part of the page, and not that it was all', execute(description(2), dataRow(ROW), READY)],
    ['fewer columns', { execute: (talk: PostgresTalk) => sendRows(talk, [[ROW[0] ?? '']], 1) }],
    ['two answers', execute(description(2), done('SELECT 0'), description(2), done('SELECT 0'), READY)],
  ])('and answers %s gives no page', async (_what, script) => {
    expect(await verdict(script)).toMatchObject({ code: 'source_failed' });
  });

  it('and tells a version of its own is not believed', async () => {
    const query = (version: string) => ({ query: (talk: PostgresTalk) => sendRows(talk, [[version]]) });
    expect(await verdict(query('<script>'))).toMatchObject({ code: 'source_failed' });
    expect(await verdict(query('9.6.24'))).toMatchObject({
      code: 'not_supported_by_source',
      detail: 'The server is PostgreSQL 9.6; 13 or newer is needed.',
    });
  });
});

describe('a server that tells of objects that cannot be', () => {
  const column = { number: 1, name: 'id', native: 'integer', base: 'int4', category: 'N', modifier: -1, deterministic: true, required: true }; // prettier-ignore
  const key = { primary: true, columns: [1] };
  const u = undefined;
  const told = (over: readonly unknown[]) => async () => {
    const row = ['public', 'people', 'table', '7', [column], [key], []].map((cell, i) => over[i] ?? cell);
    const cells = row.map((cell) => (typeof cell === 'string' ? cell : JSON.stringify(cell)));
    const signIn = [
      (talk: PostgresTalk) => sendRows(talk, [['7']]),
      (talk: PostgresTalk) => talk.send(done('SET'), READY),
      (talk: PostgresTalk) => sendRows(talk, [['18.1']]),
    ];
    const query = (talk: PostgresTalk) => signIn.shift()?.(talk) ?? sendRows(talk, [cells]);
    const server = await hostilePostgres({ query });
    return opened({ port: server.port }).discover();
  };

  it('is understood where they can', async () => {
    await expect(told([])()).resolves.toMatchObject([
      { schema: 'public', name: 'people', primaryKey: ['id'], columns: [{ key: 'id', form: 'int' }], estimatedRows: 7 },
    ]);
  });

  it.each([
    ['no name', [u, '']],
    ['a name with a byte that ends it', [u, 'a\0b']],
    ['a number of rows that is none', [u, u, u, '1e999']],
    ['columns that are none', [u, u, u, u, [null]]],
    ['a column with a number for its name', [u, u, u, u, [{ ...column, name: 7 }]]],
    ['columns that are no list', [u, u, u, u, { length: 1e9 }]],
    ['columns that are no JSON', [u, u, u, u, '[']],
    ['a key without columns', [u, u, u, u, u, [{ primary: true }]]],
    ['a reference to nothing', [u, u, u, u, u, u, [{ columns: [1] }]]],
  ])('is not believed about %s', async (_what, over) => {
    await expect(told(over)()).rejects.toMatchObject({ code: 'source_failed' });
  });
});

describe('a server that goes away', () => {
  const goodbye = (talk: PostgresTalk) => talk.socket.destroy();
  it.each([
    ['before anybody is signed in', { startup: goodbye }, 'source_unreachable'],
    ['before it answers', { execute: goodbye }, 'source_failed'],
    [
      'in the middle of a page',
      { execute: (talk: PostgresTalk) => (talk.send(description(2), dataRow(ROW)), talk.socket.end()) },
      'source_failed',
    ],
  ] as const)('%s gives no part of a page', async (_when, script, code) => {
    expect(await verdict(script)).toMatchObject({ code });
  });

  it('keeps its last words to itself', async () => {
    const words = refusal('42601', `near '${PASSWORD}' in /var/lib/postgresql`);
    expect(await verdict(execute(words, READY))).toEqual({ code: 'source_failed', detail: undefined });
    expect(await verdict({ startup: (talk) => talk.send(refusal('28P01', PASSWORD)) })).toMatchObject({ code: 'source_unreachable' }); // prettier-ignore
  });
});

describe('a password', () => {
  const certificate = { cert: SERVER_CERTIFICATE, key: SERVER_KEY };

  it('is never sent in clear to who is not vouched for', async () => {
    for (const tls of [{ mode: 'disable' }, { mode: 'require' }] as const) {
      const server = await hostilePostgres({ certificate, startup: (talk) => talk.send(authentication(3)) });
      await expect(page(opened({ port: server.port, tls }))).rejects.toMatchObject({
        code: 'source_unreachable',
        detail: expect.stringContaining('in clear') as unknown,
      });
      expect(server.received().includes('reader')).toBe(true);
      expect(server.received().includes(PASSWORD)).toBe(false);
    }
    const late = await hostilePostgres({ execute: (talk) => talk.send(authentication(3)) });
    await expect(page(opened({ port: late.port }))).rejects.toMatchObject({ code: 'source_unreachable' });
    expect(late.received().includes(PASSWORD)).toBe(false);
  });

  it('is sent in clear to who is vouched for', async () => {
    const server = await hostilePostgres({ certificate, startup: (talk) => talk.send(authentication(3)) });
    const tls = { mode: 'verify-full', ca: CA_CERTIFICATE } as const;
    await expect(page(opened({ port: server.port, tls }))).rejects.toMatchObject({ code: 'source_unreachable' });
    expect(server.received().includes(PASSWORD)).toBe(true);
  });

  it('is not even hashed for a server without the TLS that is asked for', async () => {
    for (const mode of ['require', 'verify-full'] as const) {
      const server = await hostilePostgres({});
      await expect(page(opened({ port: server.port, tls: { mode } }))).rejects.toMatchObject({
        code: 'source_unreachable',
        detail: expect.stringContaining('does not offer TLS') as unknown,
      });
      expect(server.received()).toHaveLength(8);
    }
  });

  it.each([
    ['of another host', '127.0.0.1', OTHER_CERTIFICATE, OTHER_KEY, CA_CERTIFICATE],
    ['of another host, by name', 'localhost', OTHER_CERTIFICATE, OTHER_KEY, CA_CERTIFICATE],
    ['of an authority that nobody knows', '127.0.0.1', SERVER_CERTIFICATE, SERVER_KEY, undefined],
  ] as const)('is not given for a certificate %s', async (_what, host, cert, key, ca) => {
    const server = await hostilePostgres({ certificate: { cert, key } });
    const tls = { mode: 'verify-full', ...(ca === undefined ? {} : { ca }) } as const;
    await expect(page(opened({ host, port: server.port, tls }))).rejects.toMatchObject({
      code: 'source_unreachable',
      detail: expect.stringContaining('TLS') as unknown,
    });
    expect(server.received().includes('reader')).toBe(false);
  });
});

it('an address that is not allowed stays one', async () => {
  const closed = new PolicedOutbound(new AddressPolicy([]));
  for (const tls of [{ mode: 'disable' }, { mode: 'require' }] as const)
    for (const host of ['127.0.0.1', 'localhost'])
      await expect(opened({ host, tls }, SHORT, closed).probe()).rejects.toMatchObject({ code: 'host_not_allowed' });
});

describe('with a real server', () => {
  const own = async () => {
    const { main } = await databases({ migrated: false });
    await sql(
      main,
      `create table people (id int primary key, name text); insert into people values (1, 'Ada'), (2, 'Grace');
      create view slow as select id, pg_sleep(20)::text as s from people; create view large as select id, repeat('x', 1000000) as s from people;
      create sequence counter; create view writing as select id, nextval('counter') as s from people;
      grant all on all tables in schema public to live_tables; grant all on all sequences in schema public to live_tables`,
    );
    const over = { id: newId(), host: main.host, port: main.port, database: main.database, username: main.username, password: main.password }; // prettier-ignore
    const object = async (name: string) => {
      const found = (await opened(over, LIMITS).discover()).find((each) => each.name === name);
      if (!found) throw new Error(`no ${name}`);
      return objectOf({ ...found, primaryKey: ['id'] });
    };
    return { main, over, object };
  };
  const running = async (main: Parameters<typeof sql>[0]) =>
    (await sql(main, "select from pg_stat_activity where application_name = 'live-tables' and state = 'active' and datname = current_database()")).length; // prettier-ignore

  it('stops what takes too long there, and what nobody waits for any more, and goes on', async () => {
    const { main, over, object } = await own();
    const slow = await object('slow');
    const engine = opened(over, { ...SHORT, maxBytes: 10_000_000 });
    await expect(engine.read(readOf(slow))).rejects.toMatchObject({ code: 'source_timeout' });
    const patient = opened(over, LIMITS);
    const caller = new AbortController();
    const asked = patient.read(readOf(slow), caller.signal);
    await waitFor(async () => (await running(main)) === 1);
    caller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    await waitFor(async () => (await running(main)) === 0);
    for (const each of [engine, patient]) expect(await fieldsOf(each, readOf(await object('people')))).toHaveLength(2);
  });

  it('takes no more bytes than are allowed, and writes nothing by reading', async () => {
    const { over, object } = await own();
    const engine = opened({ ...over, access: 'read-write' }, { ...LIMITS, maxBytes: 1_500_000 });
    const large = await object('large');
    await expect(engine.read(readOf(large))).rejects.toMatchObject({ code: 'answer_too_large' });
    await expect(engine.read(readOf(large, { limit: 1, select: large.key }))).resolves.toMatchObject({ rows: 1 });
    await expect(engine.read(readOf(await object('writing')))).rejects.toMatchObject({ code: 'source_failed' });
  });

  it('comes back by itself each time that the way to it is cut, and a probe does not believe a session that was kept', async () => {
    const { over, object } = await own();
    const people = await object('people');
    const proxy = await tcpProxy(over);
    const engine = opened({ ...over, port: proxy.port }, LIMITS);
    expect(await engine.probe()).toEqual({ serverVersion: expect.stringMatching(/^1\d\.\d+$/) as unknown });
    for (let round = 0; round < 3; round++) {
      expect(await fieldsOf(engine, readOf(people))).toHaveLength(2);
      await proxy.cut();
      await expect(engine.probe()).rejects.toMatchObject({ code: 'source_unreachable' });
      await proxy.mend();
    }
    const quick = opened({ ...over, port: proxy.port }, { ...SHORT, connectMs: 5_000 });
    await quick.probe();
    proxy.swallow();
    await expect(quick.probe()).rejects.toMatchObject({ code: 'source_timeout' });
  });
});
