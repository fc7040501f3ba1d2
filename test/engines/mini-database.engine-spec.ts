import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MiniDatabase, PgRow, PgSession, PgStatement } from '../../src/database/mini/index.js';
import { node } from './store.js';

let database: MiniDatabase;
beforeAll(async () => {
  database = (await node()).database;
});

const statement = (text: string, ...values: unknown[]): PgStatement => ({ text, values });

/** A statement alone the first time, prepared from the second on, and in a transaction. */
const WAYS: readonly (readonly [string, (statement: PgStatement) => Promise<PgRow[]>])[] = [
  ['alone', (asked) => database.query(asked)],
  ['prepared', async (asked) => (await database.query(asked), await database.query(asked), await database.query(asked))],
  ['in a transaction', (asked) => database.transaction((session) => session.query(asked))],
  ['prepared in a transaction', (asked) => database.transaction((session) => twice(session, asked), { prepares: true })],
]; // prettier-ignore

const twice = async (session: PgSession, asked: PgStatement): Promise<PgRow[]> => {
  await session.query(asked);
  return session.query(asked);
};

const pid = async (): Promise<string> => String((await database.query(statement('select pg_backend_pid()')))[0]?.[0]);

/** Its own query, which is not the driver's. */
describe.each(WAYS)('a statement %s', (_, run) => {
  it('takes values of every kind and gives the text of each, be it empty, null or long', async () => {
    const long = '\u{1f600}é'.repeat(100_000);
    expect(
      await run(
        statement(
          'select $1::text, $2::int, $3::bool, $4::text, $5::text[]::text, $6::text, encode($7::bytea, $8), $9::jsonb::text',
          'a"\\',
          7,
          true,
          null,
          ['x', 'a"b\\', null, '{}'],
          long,
          Buffer.from([0, 255]),
          'hex',
          { a: [1] },
        ),
      ),
    ).toEqual([['a"\\', '7', 't', null, '{x,"a\\"b\\\\",NULL,"{}"}', long, '00ff', '{"a": [1]}']]);
  });

  it('gives no rows, or very many', async () => {
    expect(await run(statement('select 1 where $1::int = 2', 1))).toEqual([]);
    const many = await run(statement('select n::text from generate_series(1, $1::int) n', 100_000));
    expect(many).toHaveLength(100_000);
    expect(many.at(-1)).toEqual(['100000']);
  });

  it.each([
    ['is not understood', statement('select nonsense from nowhere where 1 = $1', 1), '42P01'],
    ['is given what is no value of the type', statement('select $1::int', 'x'), '22P02'],
    ['fails in the middle of its rows', statement('select 1 / ($1::int - n) from generate_series(1, 50000) n', 40_000), '22012'],
    ['is given too few values', statement('select $1::int + $2::int', 1), '08P01'],
  ])('that %s says so and leaves the connection as it was', async (__, asked, code) => {
    const before = await pid();
    await expect(run(asked)).rejects.toMatchObject({ code });
    expect(await pid()).toBe(before);
  }); // prettier-ignore

  it('reads bytes where they arrive, with texts beside them, and keeps the connection when they cannot be read', async () => {
    const asked = statement("select decode($1, 'hex'), 'é'::text, null::text", '00ff10');
    const hex = (bytes: Buffer): string => bytes.toString('hex');
    expect(await run({ ...asked, bytes: hex })).toEqual([['00ff10', 'é', null]]);
    const before = await pid();
    const broken = (): never => {
      throw new Error('unreadable');
    };
    await expect(run({ ...asked, bytes: broken })).rejects.toThrow('unreadable');
    expect(await pid()).toBe(before);
    // Whoever comes next on that connection is read by its own rules.
    expect(await run(asked)).toEqual([['\\x00ff10', 'é', null]]);
    expect(await run({ ...asked, bytes: hex })).toEqual([['00ff10', 'é', null]]);
  });

  it('has no bytes to read where there are none', async () => {
    const none = (): never => {
      throw new Error('called');
    };
    expect(await run({ ...statement('select null::bytea, $1::text', 'a'), bytes: none })).toEqual([[null, 'a']]);
  });
});

describe('connections', () => {
  it('that end in the middle of an answer are told of and replaced', async () => {
    await expect(
      database.query(statement('select n, pg_terminate_backend(case n when $1 then pg_backend_pid() else 0 end) from generate_series(1, 3) n', 3)),
    ).rejects.toThrow(); // prettier-ignore
    expect(await database.query(statement('select $1::text', 'next'))).toEqual([['next']]);
  });

  it('are not waited for longer than was said', async () => {
    const slow = { ...statement('select pg_sleep($1)', 2), timeoutMs: 50 };
    await expect(database.query(slow)).rejects.toThrow('timeout');
    expect(await database.query(statement('select $1::text', 'next'))).toEqual([['next']]);
  });

  it('answer many at once, each its own', async () => {
    const asked = Array.from({ length: 500 }, (_, i) => i);
    const answers = await Promise.all(asked.map((i) => database.query(statement('select $1::text', String(i)))));
    expect(answers).toEqual(asked.map((i) => [[String(i)]]));
  });

  it('run several statements without values at once in a transaction', async () => {
    const made = await database.transaction(async (session) => {
      await session.query(statement('create temp table t_x (a int) on commit drop; insert into t_x values (1), (2)'));
      return session.query(statement('select count(*) from t_x where a > $1', 0));
    });
    expect(made).toEqual([['2']]);
  });
});
