import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import type { Condition, ObjectColumn, ObjectSchema } from '../../src/query/index.js';
import { afterThisFile, databases, sql } from '../harness/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, target } from '../support/external.js';

/* Arrays, records and JSON, which PostgreSQL keeps and judges otherwise than what is shown of them. */

let database: PostgresSettings;
let engine: PostgresEngine;

beforeAll(async () => {
  ({ main: database } = await databases({ migrated: false }));
  await sql(
    database,
    `create type point3 as (x int, y text);
    create table things (id int primary key, p point3, list int[], words text[], j json, b jsonb, many point3[]);
    insert into things values (1, null, null, null, null, null), (2, '(,)', '{}', '{}', 'null', 'null'), (3, '(1,)', '{null}', '{a}', '{}', '[]'), (4, '(1,a)', '{1}', '{a}', '"null"', '0');
    create view sums as select count(*) as n from things; create materialized view kept as select id from things;
    create table guarded (id int primary key, n int); insert into guarded values (1, 1), (2, 2);
    alter table guarded enable row level security;
    create policy seen on guarded for select using (true); create policy changed on guarded for update using (id = 1);
    grant all on all tables in schema public to live_tables`,
  );
  const { host, port, database: name, username, password } = database;
  engine = new PostgresEngine(
    target({ engine: 'postgresql', host, port, database: name, username, password, access: 'read-write' }),
    LIMITS,
    ANYWHERE,
  );
  afterThisFile(() => engine.close());
});

const objectNamed = async (name: string): Promise<ObjectSchema> =>
  objectOf(
    must(
      (await engine.discover()).find((found) => found.name === name),
      'an object of this file',
    ),
  );
const of = (object: ObjectSchema, key: string): ObjectColumn =>
  must(
    object.columns.find((each) => each.key === key),
    'a column of it',
  );

it.each([
  ['p', [1]],
  ['list', [1]],
  ['words', [1]],
  ['many', [1, 2, 3, 4]],
  ['j', [1, 2]],
  ['b', [1, 2]],
] as const)('%s is null where null is shown of it, and not null everywhere else', async (key, none) => {
  const object = await objectNamed('things');
  const column = of(object, key);
  const found = async (where: Condition) =>
    (await fieldsOf(engine, readOf(object, { where, select: object.key }))).map(({ id }) => id);
  const shown = await fieldsOf(engine, readOf(object));
  expect(shown.filter((row) => row[key] === null).map(({ id }) => id)).toEqual(none);
  expect(await found({ kind: 'isNull', column })).toEqual(none);
  expect(await found({ kind: 'not', item: { kind: 'isNull', column } })).toEqual(
    [1, 2, 3, 4].filter((id) => !(none as readonly number[]).includes(id)),
  );
});

it('arrays and records are written as the JSON that is shown of them', async () => {
  const object = await objectNamed('things');
  const fields = {
    p: { x: 7, y: 'a "b", c' },
    list: [1, null, 3],
    words: ['a,b', '"', 'null', ''],
    many: [{ x: 1, y: null }, null],
  };
  const values = Object.entries(fields).map(([key, value]) => ({
    column: of(object, key),
    value: JSON.stringify(value),
  }));
  const id = { column: of(object, 'id'), value: 10 };
  const made = await engine.mutate({ op: 'insert', object, values: [id, ...values] });
  expect(JSON.parse(made?.after ?? '')).toMatchObject({ id: 10, ...fields });
  const list = { column: of(object, 'list'), value: '[]' };
  const changed = await engine.mutate({ op: 'update', object, key: [id], values: [list], expected: [] });
  expect(JSON.parse(changed?.after ?? '')).toMatchObject({ ...fields, list: [] });
  const wrong = engine.mutate({ op: 'update', object, key: [id], values: [{ ...list, value: '["x"]' }], expected: [] });
  await expect(wrong).rejects.toMatchObject({ code: 'constraint_violation' });
});

describe('what the database does not change', () => {
  it.each(['sums', 'kept'])('is refused for what it is: rows of %s', async (name) => {
    const object = await objectNamed(name);
    const values = object.columns.map((column) => ({ column, value: 1 }));
    await expect(engine.mutate({ op: 'insert', object, values })).rejects.toMatchObject({
      code: 'not_supported_by_source',
    });
  });

  it('is not told as deleted: a row that row security keeps', async () => {
    const object = await objectNamed('guarded');
    const key = [{ column: of(object, 'id'), value: 1 }];
    let told = 0;
    const hear = () => {
      told += 1;
      return Promise.resolve();
    };
    await expect(engine.mutate({ op: 'delete', object, key, expected: [] }, hear)).rejects.toMatchObject({
      code: 'constraint_violation',
      detail: 'A rule or a trigger of the table keeps the row.',
    });
    expect(told).toBe(0);
  });
});
