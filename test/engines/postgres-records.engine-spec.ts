import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import type { SourcePage } from '../../src/engines/external/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import { POSTGRES, type ObjectSchema, type SourceRead } from '../../src/query/index.js';
import { POSTGRES_FORMS } from '../../src/query/compile/source/postgres-forms.js';
import { fuzz } from '../query/index.js';
import { afterThisFile, databases, sql } from '../harness/index.js';
import { ANYWHERE, LIMITS, objectOf, readOf, target } from '../support/external.js';

/* Pages as records and pages as texts are the same, byte for byte. */

let database: PostgresSettings;
let byRecords: PostgresEngine;
let byTexts: PostgresEngine;

const run = (text: string, values?: readonly unknown[]) => sql(database, text, values);
const opened = ({ host, port, database: name, username, password } = database): PostgresEngine => {
  const at = target({ engine: 'postgresql', host, port, database: name, username, password });
  const engine = new PostgresEngine(at, { ...LIMITS, maxSessions: 1 }, ANYWHERE);
  afterThisFile(() => engine.close());
  return engine;
};
async function objectNamed(name: string, primaryKey: readonly string[] = ['id']): Promise<ObjectSchema> {
  await run('grant all on all tables in schema public to live_tables');
  const found = (await byTexts.discover()).find((each) => each.name === name);
  return objectOf({ ...must(found, name), primaryKey });
}

/** Values for JSON: never a text that PostgreSQL cannot hold. */
const texts = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\0', ''));
const json = fc.jsonValue().filter((each) => !JSON.stringify(each).includes('\\u'));
const decimals = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.integer({ min: -40, max: 40 }))
  .map(([negative, digits, exponent]) => `${negative ? '-' : ''}${digits}e${exponent}`);
const whole = (bits: bigint) => fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }).map(String);
const moments = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999 })),
  )
  .map(([at, micros]) => `${at.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}`);
const ODD_DAYS = ['infinity', '-infinity', '0044-03-15 BC', '0001-12-31 BC', '0001-01-01', '9999-12-31', '10000-01-01', '12026-01-01', '5874897-12-31', '4714-11-24 BC']; // prettier-ignore
const ODD_MOMENTS = ['infinity', '-infinity', '0044-03-15 01:02:03.5 BC', '0001-12-31 23:59:59.999999 BC', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', '10000-01-01 00:00:00', '12026-01-01 00:00:00.00012', '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00.000001 BC', '1999-12-31 23:59:59.9999', '2000-01-01 00:00:00']; // prettier-ignore

const VALUES: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['smallint', whole(16n)],
  ['integer', whole(32n)],
  ['bigint', whole(64n)],
  ['oid', fc.nat().map((n) => String(n * 2 + 1))],
  ['numeric', fc.oneof(decimals, fc.constantFrom('NaN', '0.000', '-0.0001', '1e300', '1e-300'))],
  ['numeric(30,4)', fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map((n) => `${n}e-3`)],
  ['cents', fc.integer({ min: 0, max: 1e9 }).map((n) => `${n}e-2`)],
  ['money', fc.integer({ min: -1e9, max: 1e9 }).map((n) => `${n / 100}`)],
  ['real', fc.oneof(fc.float(), fc.float({ min: -1000, max: 1000 })).map((n) => (Object.is(n, -0) ? '-0' : String(n)))],
  ['double precision', fc.oneof(fc.double(), fc.double({ min: -1e6, max: 1e6 })).map((n) => (Object.is(n, -0) ? '-0' : String(n)))],
  ['boolean', fc.boolean()],
  ['date', fc.oneof(moments.map((at) => at.slice(0, 10)), fc.constantFrom(...ODD_DAYS))],
  ['timestamp', fc.oneof(moments, fc.constantFrom(...ODD_MOMENTS))],
  ['timestamptz', fc.oneof(moments.map((at) => `${at}+00`), fc.constantFrom(...ODD_MOMENTS))],
  ['text', texts],
  ['varchar', texts],
  ['character(9)', fc.stringMatching(/^[a-zé ]{0,9}$/)],
  ['label', texts],
  ['mood', fc.constantFrom('sad', "it's ok")],
  ['uuid', fc.uuid()],
  ['bytea', fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
  ['interval', fc.integer().map((seconds) => `${seconds} seconds`)],
  ['json', json.map((each) => JSON.stringify(each, null, 2))],
  ['jsonb', json.map((each) => JSON.stringify(each))],
  ['text[]', fc.array(texts, { maxLength: 3 })],
  ['pair', fc.record({ a: fc.integer({ min: -9, max: 9 }), b: texts })],
]; // prettier-ignore

const rowsOf = (rows: readonly (readonly unknown[])[]): readonly Record<string, unknown>[] =>
  rows.map((cells, id) => ({ id, ...Object.fromEntries(cells.map((cell, i) => [`c${i}`, cell])) }));

beforeAll(async () => {
  ({ main: database } = await databases({ migrated: false }));
  await run(`create type mood as enum ('sad', 'it''s ok'); create type pair as (a int, b text);
    create domain cents as numeric(12, 2) not null check (value >= 0); create domain label as varchar(4000);
    create table every (id int primary key, ${VALUES.map(([native], i) => `c${i} ${native}${native === 'cents' ? ' default 0' : ''}`).join()});
    create table one (id int primary key); insert into one values (1); grant select on one to live_tables`);
  // Whoever may not make records is answered in texts, for as long as the session lasts.
  await run('revoke execute on function pg_catalog.record_send(record) from public');
  byTexts = opened();
  const one = await objectNamed('one');
  await byTexts.read(readOf(one));
  await run('grant execute on function pg_catalog.record_send(record) to public');
  byRecords = opened();
  await byRecords.read(readOf(one));
  expect(byTexts.describe(readOf(one))).not.toContain('record_send');
  expect(byRecords.describe(readOf(one))).toContain('record_send');
});

/** Of pages that are the same but for where they end, which each way says in its own words. */
async function same(plan: SourceRead): Promise<SourcePage> {
  const [records, asTexts] = [await byRecords.read(plan), await byTexts.read(plan)];
  expect(records.data).toBe(asTexts.data);
  expect({ ...records, next: records.next?.length }).toEqual({ ...asTexts, next: asTexts.next?.length });
  return records;
}

describe('a page as records', () => {
  const row = fc.tuple(
    ...VALUES.map(([native, values]) => (native === 'cents' ? values : fc.option(values, { nil: null }))),
  );

  it('has a value of every form that there is', async () => {
    const forms = new Set((await objectNamed('every')).columns.map(({ form }) => form));
    expect([...forms].sort()).toEqual(Object.keys(POSTGRES_FORMS).sort());
  });

  it('is what PostgreSQL makes as texts, of every native type', async () => {
    const every = await objectNamed('every');
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        const made = rowsOf(rows);
        await run('delete from every');
        await run('insert into every select * from json_populate_recordset(null::every, $1)', [JSON.stringify(made)]);
        const page = await same(readOf(every, { limit: 20, count: 'exact' }));
        expect(page.rows).toBe(Math.min(20, rows.length));
      }),
      fuzz(40),
    );
  });

  it('leads on to the same rows, by every order, also where the other way told of the place', async () => {
    const every = await objectNamed('every');
    const rows = fc.sample(row, { numRuns: 40, seed: 20_261_128 });
    const made = rowsOf(rows);
    await run('delete from every');
    await run('insert into every select * from json_populate_recordset(null::every, $1)', [JSON.stringify(made)]);
    for (const column of every.columns.filter(({ key, form }) => key !== 'id' && POSTGRES.isComparable(form)))
      for (const dir of ['asc', 'desc'] as const) {
        const orderBy = [column, ...every.key].map((each) => ({ by: { kind: 'column', column: each }, dir }) as const);
        const plan = readOf(every, { orderBy, select: [column, ...every.key], limit: 7 });
        const whole = await same({ ...plan, limit: 100 });
        const pages: string[] = [];
        for (let [at, turn] = [plan, 0]; turn < 100; turn++) {
          await same(at);
          const page = await (turn % 2 === 0 ? byRecords : byTexts).read(at);
          pages.push(page.data);
          if (!page.next) break;
          at = { ...at, after: page.next };
        }
        expect([column.key, dir, pages.join(',\n')]).toEqual([column.key, dir, whole.data]);
      }
  });

  it('is the same, too, of columns that have become of another type since we looked', async () => {
    await run(`create table moved (id int primary key, key uuid, n int, day date);
      insert into moved values (1, '0123abcd-0000-0000-0000-000000000000', 7, '2026-11-28')`);
    const moved = await objectNamed('moved');
    expect((await same(readOf(moved))).rows).toBe(1);
    await run(`alter table moved alter key type text, alter n type numeric, alter day type text;
      insert into moved values (2, 'none', 1e25, 'someday')`);
    const page = await same(readOf(moved));
    expect(page.data).toContain('"none","n":10000000000000000000000000,"day":"someday"');
  });

  it('is empty, or of rows of nothing, alike', async () => {
    const one = await objectNamed('one');
    const nobody = { kind: 'compare', column: must(one.columns[0], 'id'), op: 'lt', value: 0 } as const;
    expect(await same(readOf(one, { where: nobody }))).toEqual({ data: '', rows: 0 });
    expect(await same(readOf(one, { select: [], orderBy: [] }))).toEqual({ data: '{"fields":{}}', rows: 1 });
    expect(await same(readOf(one, { orderBy: [], skip: 1 }))).toEqual({ data: '', rows: 0 });
  });

  it('is in UTF-8 from a database that is not', async () => {
    const latin = `${database.database}_latin`;
    await run(`create database ${latin} template template0 encoding 'LATIN1' locale 'C'`);
    const there = { ...database, database: latin };
    await sql(there, "create table letters (id int primary key, t text); insert into letters values (1, 'é ß'); grant select on letters to live_tables"); // prettier-ignore
    const engine = opened(there);
    const [letters] = await engine.discover();
    const { data } = await engine.read(readOf(objectOf(must(letters, 'letters'))));
    expect(engine.describe(readOf(objectOf(must(letters, 'letters'))))).toContain('record_send');
    expect(data).toBe('{"fields":{"id":1,"t":"é ß"}}');
  });
});

describe('a table that has moved since it was looked at', () => {
  it.each([
    ['gone', 'drop table moving'],
    ['without a column', 'alter table moving drop column v'],
    ['with texts that are numbers', 'alter table moving alter v type text'],
    ['with texts that are none', "alter table moving alter v type text using 'none'"],
    ['with moments', "alter table moving alter v type timestamptz using '2026-01-01'"],
    ['with lists', 'alter table moving alter v type int[] using array[v]'],
  ])('(%s) comes to the same', async (_how, change) => {
    await run(
      'drop table if exists moving; create table moving (id int primary key, v int); insert into moving values (1, 7)',
    );
    const plan = readOf(await objectNamed('moving'));
    await same(plan);
    await run(change);
    const outcome = (engine: PostgresEngine) =>
      engine.read(plan).then(
        ({ data }) => data,
        (error: unknown) => (error as { code: unknown }).code,
      );
    expect(await outcome(byRecords)).toEqual(await outcome(byTexts));
  });
});
