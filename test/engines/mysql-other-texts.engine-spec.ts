import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { MysqlEngine } from '../../src/engines/external/mysql/index.js';
import type { Condition, ObjectColumn, ObjectSchema, SourceRead } from '../../src/query/index.js';
import { afterThisFile, mysqlDatabase, type TestMysql } from '../harness/index.js';
import { column } from '../query/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, sourceOf, target } from '../support/external.js';

/* What MySQL keeps otherwise than it is shown: questions are about what is shown. */

let database: TestMysql;
let engine: MysqlEngine;
let objects: ReadonlyMap<string, ObjectSchema>;

beforeAll(async () => {
  database = await mysqlDatabase();
  await database.sql(`
    set session sql_mode='', session time_zone='+00:00';
    create table texts (id int primary key, latin varchar(20) character set latin1, three varchar(20) character set utf8mb3,
      kana varchar(20) character set sjis, one varchar(20) collate utf8mb4_general_ci, raw varbinary(8), doc json);
    insert into texts values (1, 'é', '日', '日', 'Abc', x'00ff', 'null'), (2, 'a', 'b', 'c', 'abc', x'', '{}'), (3, null, null, null, null, null, null);
    create table other (name varchar(20) collate utf8mb4_unicode_ci primary key, n int);
    insert into other values ('Abc', 7);
    create view sums as select count(*) as n from other;
    create table years (id int, day date, primary key (id, day)) partition by range (year(day)) (partition p values less than (2030));
    create table days (id int primary key, day date, at datetime, since timestamp null, due date not null, made year);
    insert into days values (1, null, null, null, '0000-00-00', null), (2, '0000-00-00', '0000-00-00', '0000-00-00', '2026-01-01', 0),
      (3, '2026-00-00', '2026-01-00', null, '2026-01-01', 2005), (4, '2026-02-03', '2026-02-03', '2026-02-03', '2026-02-03', 1999)`);
  engine = new MysqlEngine(target({ ...database, access: 'read-write' }), LIMITS, ANYWHERE);
  afterThisFile(() => engine.close());
  objects = new Map((await engine.discover()).map((found) => [found.name, objectOf(found)]));
});

const objectNamed = (name: string): ObjectSchema => must(objects.get(name), 'a table of this file');
const of = (object: ObjectSchema, key: string): ObjectColumn =>
  must(
    object.columns.find((each) => each.key === key),
    'a column of it',
  );

async function found(name: string, where: Condition): Promise<readonly unknown[]> {
  const object = objectNamed(name);
  return (await fieldsOf(engine, readOf(object, { where, select: object.key }))).map(({ id }) => id);
}

describe('texts that the character set of a column cannot hold', () => {
  it.each([
    ['latin', '日'],
    ['three', '🦊'],
    ['kana', 'ä'],
  ])('are in no row of %s', async (key, value) => {
    const by = of(objectNamed('texts'), key);
    expect(await found('texts', { kind: 'compare', column: by, op: 'eq', value })).toEqual([]);
    expect(await found('texts', { kind: 'compare', column: by, op: 'neq', value })).toEqual([1, 2, 3]);
    expect(await found('texts', { kind: 'oneOf', column: by, values: [value, key === 'latin' ? 'é' : '日'] })).toEqual([
      1,
    ]);
  });

  it('are counted, grouped and expected as well', async () => {
    const object = objectNamed('texts');
    const where: Condition = {
      kind: 'not',
      item: { kind: 'compare', column: of(object, 'latin'), op: 'eq', value: '日' },
    };
    const counted = await engine.read(readOf(object, { where, count: 'exact' }));
    expect(counted.count).toMatchObject({ value: 3, relation: 'exact' });
    const groups = await engine.readGroups({
      from: sourceOf(object),
      where,
      groups: [],
      aggregates: [{ fn: 'count', output: column('n', 'integer') }],
      having: { kind: 'true' },
      orderBy: [],
      limit: 1,
      count: 'none',
    });
    expect(JSON.parse(groups.data)).toEqual({ group: {}, values: { n: 3 } });
    const change = {
      op: 'update',
      object,
      key: [{ column: of(object, 'id'), value: 2 }],
      values: [{ column: of(object, 'one'), value: 'new' }],
      expected: [{ column: of(object, 'latin'), value: '日' }],
    } as const;
    expect(await engine.mutate(change)).toBeUndefined();
  });
});

it('columns of two collations are joined where they are equal to the letter', async () => {
  const texts = objectNamed('texts');
  const other = objectNamed('other');
  const joined: ObjectSchema = { ...other, columns: other.columns.map((each) => ({ ...each, alias: 'p' })) };
  const from: SourceRead['from'] = {
    ...sourceOf(texts),
    joins: [
      {
        type: 'inner',
        object: joined,
        alias: 'p',
        on: [{ left: of(texts, 'one'), right: of(joined, 'name') }],
      },
    ],
  };
  const select = [of(texts, 'id'), of(joined, 'n')];
  expect(await fieldsOf(engine, { ...readOf(texts, { select }), from })).toEqual([{ id: 1, n: 7 }]);
});

it('bytes are searched as the text that is shown of them, which is never empty', async () => {
  const raw = of(objectNamed('texts'), 'raw');
  expect(await found('texts', { kind: 'match', column: raw, mode: 'contains', text: '00FF' })).toEqual([1]);
  expect(await found('texts', { kind: 'match', column: raw, mode: 'startsWith', text: '\\x' })).toEqual([1, 2]);
  expect(await found('texts', { kind: 'isEmpty', column: raw })).toEqual([3]);
});

it('null inside of JSON is null', async () => {
  const doc = of(objectNamed('texts'), 'doc');
  expect(await found('texts', { kind: 'isNull', column: doc })).toEqual([1, 3]);
  expect(await found('texts', { kind: 'not', item: { kind: 'isNull', column: doc } })).toEqual([2]);
});

describe('a date that is none', () => {
  it.each([
    ['day', [1, 2, 3], '9999-12-31'],
    ['at', [1, 2, 3], '9999-12-31T00:00:00.000Z'],
    ['since', [1, 2, 3], '2037-12-31T00:00:00.000Z'],
    ['due', [1], '9999-12-31'],
  ])('is null to every question about %s', async (key, none, late) => {
    const by = of(objectNamed('days'), key);
    const some = [1, 2, 3, 4].filter((id) => !none.includes(id));
    const isNull: Condition = { kind: 'isNull', column: by };
    expect(await found('days', isNull)).toEqual(none);
    expect(await found('days', { kind: 'not', item: isNull })).toEqual(some);
    const before: Condition = { kind: 'compare', column: by, op: 'lt', value: late };
    expect(await found('days', before)).toEqual(some);
    expect(await found('days', { kind: 'not', item: before })).toEqual(none);
    expect(await found('days', { kind: 'between', column: by, low: '0001-01-01', high: late })).toEqual(some);
    expect(await found('days', { kind: 'compareColumns', column: by, op: 'lte', other: by })).toEqual([1, 2, 3, 4]);
  });

  it('is in the group of null, and the least of none', async () => {
    const object = objectNamed('days');
    const day = of(object, 'day');
    const page = await engine.readGroups({
      from: sourceOf(object),
      where: { kind: 'true' },
      groups: [{ column: day, output: column('day', 'date') }],
      aggregates: [
        { fn: 'count', output: column('n', 'integer') },
        { fn: 'countDistinct', column: day, output: column('days', 'integer') },
        { fn: 'min', column: day, output: column('first', 'date') },
      ],
      having: { kind: 'true' },
      orderBy: [],
      limit: 10,
      count: 'none',
    });
    const groups = JSON.parse(`[${page.data}]`) as readonly unknown[];
    expect(groups).toHaveLength(2);
    expect(groups).toEqual(
      expect.arrayContaining([
        { group: { day: null }, values: { n: 3, days: 0, first: null } },
        { group: { day: '2026-02-03' }, values: { n: 1, days: 1, first: '2026-02-03' } },
      ]),
    );
  });
});

it('a number below 100 is no year of a century', async () => {
  const made = of(objectNamed('days'), 'made');
  expect(await found('days', { kind: 'compare', column: made, op: 'eq', value: 5 })).toEqual([]);
  expect(await found('days', { kind: 'compare', column: made, op: 'gt', value: 5 })).toEqual([3, 4]);
  expect(await found('days', { kind: 'oneOf', column: made, values: [99, 2005] })).toEqual([3]);
});

it.each([
  ['sums', { n: 1 }, 'not_supported_by_source'],
  ['years', { id: 1, day: '2031-01-01' }, 'constraint_violation'],
])('what %s takes no row for is told: %j', async (name, fields, code) => {
  const object = objectNamed(name);
  const values = Object.entries(fields).map(([key, value]) => ({ column: of(object, key), value }));
  await expect(engine.mutate({ op: 'insert', object, values })).rejects.toMatchObject({ code });
});
