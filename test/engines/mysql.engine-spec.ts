import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import type { FoundColumn, FoundObject } from '../../src/engines/external/index.js';
import { MysqlEngine } from '../../src/engines/external/mysql/index.js';
import type { ObjectColumn, ObjectSchema, SourceRead } from '../../src/query/index.js';
import { afterThisFile, mysqlDatabase, type TestMysql } from '../harness/index.js';
import { column } from '../query/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, target } from '../support/external.js';

let database: TestMysql;
const engineOf = (over: Partial<Parameters<typeof target>[0]> = {}, limits = LIMITS): MysqlEngine => {
  const engine = new MysqlEngine(target({ ...database, ...over }), limits, ANYWHERE);
  afterThisFile(() => engine.close());
  return engine;
};

/** Native type, a value in SQL, and what is made of them. Each stands in a column of its own, `c0, c1, …`. */
const TYPES: readonly (readonly [string, string, string, unknown, object?])[] = [
  ['tinyint', '-128', 'integer', -128],
  ['tinyint unsigned', '255', 'integer', 255],
  ['smallint', '-32768', 'integer', -32768],
  ['mediumint', '8388607', 'integer', 8388607],
  ['int', '-2147483648', 'integer', -2147483648],
  ['int unsigned', '4294967295', 'integer', 4294967295],
  ['bigint', '-9223372036854775808', 'decimal', '-9223372036854775808', { scale: 0 }],
  ['bigint unsigned', '18446744073709551615', 'decimal', '18446744073709551615', { scale: 0 }],
  [
    'decimal(65,30)',
    `-${'9'.repeat(35)}.${'9'.repeat(30)}`,
    'decimal',
    `-${'9'.repeat(35)}.${'9'.repeat(30)}`,
    { scale: 30 },
  ],
  ['decimal(10,2)', '1.50', 'decimal', '1.50', { scale: 2 }],
  ['double', '0.1', 'decimal', '0.1', {}],
  ['double', '1.7976931348623157e308', 'decimal', `17976931348623157${'0'.repeat(292)}`, {}],
  ['double', '-5e-324', 'decimal', `-0.${'0'.repeat(323)}5`, {}],
  ['float', '0.5', 'decimal', '0.5', {}],
  ['tinyint(1)', '1', 'boolean', true],
  ['bit(1)', "b'0'", 'boolean', false],
  ['bit(12)', "b'101010101010'", 'integer', 0b101010101010],
  ['bit(64)', "b'" + '1'.repeat(64) + "'", 'decimal', '18446744073709551615', { scale: 0 }],
  ['date', "'0001-01-01'", 'date', '0001-01-01'],
  ['date', "'9999-12-31'", 'date', '9999-12-31'],
  ['date', "'0000-00-00'", 'date', null],
  ['date', "'2026-00-00'", 'date', null],
  ['datetime', "'0001-01-01 00:00:00'", 'datetime', '0001-01-01T00:00:00.000Z'],
  ['datetime(6)', "'2026-11-26 12:34:56.000001'", 'datetime', '2026-11-26T12:34:56.000001Z'],
  ['datetime(3)', "'2026-11-26 12:34:56.120'", 'datetime', '2026-11-26T12:34:56.120Z'],
  ['datetime', "'0000-00-00 00:00:00'", 'datetime', null],
  ['timestamp(6) null', "'2026-11-26 12:34:56.7'", 'datetime', '2026-11-26T12:34:56.700Z'],
  ['time(6)', "'-838:59:58.000001'", 'text', '-838:59:58.000001'],
  ['time', "'00:00:00'", 'text', '00:00:00'],
  ['year', '2155', 'integer', 2155],
  ['year', '0', 'integer', 0],
  ['char(5)', "'ab'", 'text', 'ab'],
  ['varchar(100)', "'🦊 \\\\ '' \" ? ${x} é\u0301'".replace('${x}', '$1'), 'text', '🦊 \\\\ \' " ? $1 é\u0301'],
  ['varchar(20) character set latin1', "'Grüße €'", 'text', 'Grüße €'],
  ['varchar(20) character set utf16', "'🦊'", 'text', '🦊'],
  ['longtext', "repeat('ü', 100000)", 'text', 'ü'.repeat(100_000)],
  ['binary(4)', "x'00ff'", 'text', '\\x00ff0000'],
  ['varbinary(8)', "x''", 'text', '\\x'],
  ['longblob', "x'deadbeef'", 'text', '\\xdeadbeef'],
  [
    'json',
    `'{"a": [1, null, "ü🦊"], "__proto__": {"b": 12345678901234567890}}'`,
    'json',
    expect.objectContaining({ a: [1, null, 'ü🦊'] }),
  ],
  ["enum('a','b,c','ü')", "'ü'", 'text', 'ü'],
  ["set('x','y','z')", "'x,z'", 'text', 'x,z'],
  ['point', "st_geomfromtext('POINT(1 2.5)')", 'text', 'POINT(1 2.5)'],
  ["varchar(64) as (concat(id, '!')) stored", 'default', 'text', '1!'],
];

const named = (found: readonly FoundObject[], name: string): FoundObject =>
  must(
    found.find((each) => each.schema === database.database && each.name === name),
    `${name} was made`,
  );

beforeAll(async () => {
  database = await mysqlDatabase();
});

describe('a native type', () => {
  let found: FoundObject;
  let fields: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    const definitions = TYPES.map(([native], i) => `c${i} ${native}`).join(', ');
    // The modes of the fixture only: dates that are none, and backslashes that are themselves.
    await database.sql(`
      set session sql_mode='NO_BACKSLASH_ESCAPES', session time_zone='+00:00';
      create table every_type (id int primary key, ${definitions});
      insert into every_type values (1, ${TYPES.map(([, sql]) => sql).join(', ')})`);
    const engine = engineOf();
    found = named(await engine.discover(), 'every_type');
    [fields = {}] = await fieldsOf(engine, readOf(objectOf(found)));
  });

  it.each(
    TYPES.map(
      ([native, sql, type, value, options = {}], i) => [native, sql.slice(0, 40), i, type, value, options] as const,
    ),
  )('%s with %s keeps its value, column %d', (native, _sql, i, type, value, options) => {
    const made: FoundColumn = must(found.columns[i + 1], 'in the order in which they were made');
    expect(made).toMatchObject({ key: `c${i}`, type, options, nullable: true });
    expect(fields[`c${i}`]).toEqual(value);
    expect(made.nativeType).toContain(native.split(/[ (]/)[0] === 'json' ? '' : native.split(/[ (]/)[0]);
  });

  it('is found by each value that was read, and only then', async () => {
    const engine = engineOf();
    const object = objectOf(found);
    for (const column of object.columns) {
      const value = fields[column.key];
      if (column.type === 'json' || value === null || (typeof value === 'string' && value.length > 1_000)) continue;
      const where = { kind: 'compare', column, op: 'eq', value: value as string } as const;
      expect([column.key, (await fieldsOf(engine, readOf(object, { where, select: object.key }))).length]).toEqual([
        column.key,
        1,
      ]);
      const not = { ...where, op: 'neq' } as const;
      expect([column.key, await fieldsOf(engine, readOf(object, { where: not, select: object.key }))]).toEqual([
        column.key,
        [],
      ]);
    }
  });
});

describe('discovery', () => {
  it('tells keys, references, views and what may be null, under the name of the database', async () => {
    await database.sql(
      `
      create table customers (id bigint unsigned auto_increment primary key, code varchar(10) not null unique, mail varchar(50) unique, "x" int)
        comment 'with a key that may be null';
      create table \`select \`\`this\`\`\` (a int, b varchar(5), \`__proto__\` int, primary key (b, a));
      create table orders (id int primary key, customer bigint unsigned, a int, b varchar(5),
        foreign key (customer) references customers (id), foreign key (b, a) references \`select \`\`this\`\`\` (b, a));
      create view big as select id, code from customers`.replace('"x"', 'x'),
    );
    const found = await engineOf().discover();
    const { schema, kind, primaryKey, uniqueKeys, columns } = named(found, 'customers');
    expect({ schema, kind, primaryKey, uniqueKeys }).toEqual({
      schema: database.database,
      kind: 'table',
      primaryKey: ['id'],
      uniqueKeys: [['code']],
    });
    expect(columns.map(({ key, nullable }) => [key, nullable])).toEqual([
      ['id', false],
      ['code', false],
      ['mail', true],
      ['x', true],
    ]);
    const strange = named(found, 'select `this`');
    expect(strange).toMatchObject({ primaryKey: ['b', 'a'] });
    expect(strange.columns.map(({ key }) => key)).toEqual(['a', 'b', '__proto__']);
    expect(named(found, 'big')).toMatchObject({
      kind: 'view',
      primaryKey: [],
      columns: [{ key: 'id' }, { key: 'code' }],
    });
    const { foreignKeys } = named(found, 'orders');
    expect(foreignKeys).toHaveLength(2);
    expect(foreignKeys).toEqual(
      expect.arrayContaining([
        { columns: ['customer'], schema, name: 'customers', references: ['id'] },
        { columns: ['b', 'a'], schema, name: 'select `this`', references: ['b', 'a'] },
      ]),
    );
  });

  it('shows what the user may see, nothing of the server, and no more objects than are asked for', async () => {
    const other = await mysqlDatabase();
    await other.sql('create table secret (id int primary key)');
    await database.sql('create table seen (id int primary key)');
    const found = await engineOf().discover();
    expect(new Set(found.map(({ schema }) => schema))).toEqual(new Set([database.database]));
    expect(found.length).toBeGreaterThan(1);
    const two = await engineOf({}, { ...LIMITS, maxObjects: 2 }).discover();
    expect(two).toEqual(found.slice(0, 2));
  });
});

describe('reading', () => {
  let object: ObjectSchema;
  const byKey = (key: string): ObjectColumn =>
    must(
      object.columns.find((column) => column.key === key),
      'a column of it',
    );
  beforeAll(async () => {
    await database.sql(`
      create table days (id int auto_increment primary key, day date, name varchar(20) collate utf8mb4_unicode_ci, at datetime(6), n double, b varbinary(4));
      insert into days (day, name, at, n, b) values
        ('0000-00-00', 'ä', null, 1e300, x'ff'), ('0000-00-00', 'A', '2026-01-01 00:00:00.000001', 0.1, x'00'), (null, 'a', '2026-01-01', null, null),
        ('2026-01-01', 'z', '0001-01-01', -0.1, x'0001'), ('2026-00-00', 'Z', '2026-01-01 00:00:00.1', 1e-300, x''), ('2025-12-31', '🦊', null, 0, x'00ff'), (null, null, null, 3, null)`);
    object = objectOf(named(await engineOf().discover(), 'days'));
  });

  it.each(['id', 'day', 'name', 'at', 'n', 'b'])(
    'pages by %s in both directions without losing or repeating a row',
    async (key) => {
      const engine = engineOf();
      for (const dir of ['asc', 'desc'] as const) {
        const orderBy = [...new Set([byKey(key), byKey('id')])].map(
          (column) => ({ by: { kind: 'column', column }, dir }) as const,
        );
        const whole = await fieldsOf(engine, readOf(object, { orderBy }));
        expect(whole.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
        for (const limit of [1, 2, 3])
          expect(await fieldsOf(engine, readOf(object, { orderBy, limit }))).toEqual(whole);
      }
    },
  );

  it('sorts texts by code point, whatever the collation', async () => {
    const orderBy = [{ by: { kind: 'column', column: byKey('name') }, dir: 'asc' } as const];
    const rows = await fieldsOf(engineOf(), readOf(object, { orderBy, select: [byKey('name')] }));
    expect(rows.map(({ name }) => name)).toEqual([null, 'A', 'Z', 'a', 'z', 'ä', '🦊']);
  });

  it('counts exactly, and estimates a whole object', async () => {
    const engine = engineOf();
    expect((await engine.read(readOf(object, { count: 'exact', limit: 1 }))).count).toEqual({
      mode: 'exact',
      value: 7,
      relation: 'exact',
    });
    expect((await engine.read(readOf(object, { count: 'estimated', limit: 1 }))).count).toMatchObject({
      mode: 'estimated',
      relation: 'estimate',
    });
  });

  it('tells groups with their aggregates', async () => {
    const page = await engineOf().readGroups({
      from: { ...object, object, alias: 'o', joins: [] },
      where: { kind: 'true' },
      groups: [],
      aggregates: [
        { fn: 'count', output: column('total', 'integer') },
        { fn: 'sum', column: byKey('id'), output: column('sum', 'decimal') },
        { fn: 'avg', column: byKey('id'), output: column('avg', 'decimal') },
        { fn: 'max', column: byKey('at'), output: column('max', 'datetime') },
      ],
      having: { kind: 'true' },
      orderBy: [],
      limit: 10,
      count: 'exact',
    });
    expect(JSON.parse(page.data)).toEqual({
      group: {},
      values: { total: 7, sum: '28', avg: '4', max: '2026-01-01T00:00:00.100Z' },
    });
    expect(page).toMatchObject({ rows: 1, count: { value: 1, relation: 'exact' } });
  });
});

describe('many values of a native type', () => {
  /** Values in SQL, none equal to another; in order, as the product has it. */
  const VALUES: readonly (readonly [string, readonly string[]])[] = [
    ['decimal(65,0)', [`-${'9'.repeat(65)}`, '-1', '0', '1'.repeat(60), `${'1'.repeat(59)}2`]],
    [
      'decimal(65,30)',
      [
        `-${'9'.repeat(35)}.${'9'.repeat(30)}`,
        '-0.000000000000000000000000000001',
        '0',
        '0.000000000000000000000000000001',
      ],
    ],
    ['bigint unsigned', ['0', '9223372036854775807', '9223372036854775808', '18446744073709551615']],
    ['bigint', ['-9223372036854775808', '-1', '0', '9223372036854775807']],
    ['bit(64)', ["b'0'", "b'1'", "b'10'", `b'${'1'.repeat(64)}'`]],
    ['float', ['-1.5', '0', '0.1', '16777216', '1e30']],
    ['double', ['-1e308', '-1e-300', '0', '5e-324', '0.1', '0.30000000000000004', '1e22', '1.5e300']],
    ['year', ['0', '1901', '2155']],
    ['boolean', ['false', 'true']],
    ['bit(1)', ["b'0'", "b'1'"]],
    ['date', ["'0001-01-01'", "'1582-10-10'", "'9999-12-31'"]],
    [
      'datetime(6)',
      ["'0001-01-01'", "'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000010'", "'9999-12-31 23:59:59.999999'"],
    ],
    ['timestamp(6) null', ["'1970-01-01 00:00:01'", "'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.1'"]],
    ['char(8) collate utf8mb4_general_ci', ["'A'", "'B'", "'a'", "'b'", "'ä'"]],
    ['varchar(8) collate utf8mb4_unicode_ci', ["''", "'A'", "'a'", "'a '", "'ä'", "'é'", "'🐱'", "'🦊'"]],
    ['varchar(8) character set latin1', ["'a'", "'ÿ'", "'€'"]],
    ["enum('z','b','a')", ["'a'", "'b'", "'z'"]],
    ["set('z','a')", ["''", "'a'", "'z'", "'z,a'"]],
    ['varbinary(8)', ["x''", "x'00'", "x'0000'", "x'0001'", "x'5c27'", "x'ff'"]],
  ];
  let object: ObjectSchema;
  beforeAll(async () => {
    const columns = VALUES.map(([native], i) => `c${i} ${native}`).join();
    const rows = Array.from(
      { length: 9 },
      (_row, n) => `(${n}, ${VALUES.map(([, values]) => values[n] ?? 'null').join()})`,
    );
    await database.sql(`create table several (id int primary key, ${columns});
      set session time_zone='+00:00'; insert into several values ${rows.join()}`);
    object = objectOf(named(await engineOf().discover(), 'several'));
  });

  it.each(VALUES.map(([native, values], i) => [native, i, values.length] as const))(
    'of %s: each is found by itself alone, and pages in both directions are in order and whole',
    async (_native, i, length) => {
      const engine = engineOf();
      const [id, column] = [must(object.columns[0], 'the key'), must(object.columns[i + 1], 'a column')];
      const order = (dir: 'asc' | 'desc') =>
        [column, id].map((by) => ({ by: { kind: 'column', column: by }, dir }) as const);
      const all = await fieldsOf(engine, readOf(object, { orderBy: order('asc'), select: [id, column] }));
      const nulls = Array.from({ length: 9 - length }, (_null, n) => length + n);
      expect(all.map((row) => row.id)).toEqual([...nulls, ...Array.from({ length }, (_value, n) => n)]);
      for (const limit of [1, 2]) {
        expect(await fieldsOf(engine, readOf(object, { orderBy: order('asc'), select: [id, column], limit }))).toEqual(
          all,
        );
        const back = await fieldsOf(engine, readOf(object, { orderBy: order('desc'), select: [id, column], limit }));
        expect(back).toEqual([...all].reverse());
      }
      for (const row of all.slice(nulls.length)) {
        const value = row[column.key] as string;
        const found = async (where: SourceRead['where']) =>
          (await fieldsOf(engine, readOf(object, { where, select: [id] }))).map((each) => each.id);
        expect([value, await found({ kind: 'compare', column, op: 'eq', value })]).toEqual([value, [row.id]]);
        expect([value, await found({ kind: 'oneOf', column, values: [value] })]).toEqual([value, [row.id]]);
        const below = all
          .slice(nulls.length)
          .filter((each) => Number(each.id) < Number(row.id))
          .map((each) => each.id);
        expect([value, await found({ kind: 'compare', column, op: 'lt', value })]).toEqual([value, below]);
      }
    },
  );
});

describe('changing', () => {
  let object: ObjectSchema;
  const cell = (key: string, value: string | number | boolean | null) => ({
    column: must(
      object.columns.find((column) => column.key === key),
      'a column of it',
    ),
    value,
  });
  const parsed = (text: string | null | undefined): unknown => (typeof text === 'string' ? JSON.parse(text) : text);
  const writer = () => engineOf({ access: 'read-write' });
  beforeAll(async () => {
    await database.sql(`
      create table parents (id int primary key); insert into parents values (1);
      create table things (id int auto_increment primary key, name varchar(5) not null unique, price decimal(5,2), day date, at datetime(3), ok tinyint(1), raw varbinary(4),
        doc json, version int not null default 1, parent int, kind enum('a','b'), double_price decimal(6,2) as (price * 2) stored, foreign key (parent) references parents (id), check (price < 900))`);
    object = objectOf(named(await engineOf().discover(), 'things'));
  });

  it('inserts, updates with a version, and deletes one row, and tells what it was', async () => {
    const engine = writer();
    const values = [
      cell('name', 'a\'\\"?'),
      cell('price', '12.30'),
      cell('day', '2026-02-03'),
      cell('at', '2026-02-03T04:05:06.789Z'),
      cell('ok', true),
      cell('raw', '\\x00ff'),
      cell('doc', '{"a":1}'),
      cell('kind', 'b'),
    ];
    const made = await engine.mutate({ op: 'insert', object, values });
    const first = {
      id: 1,
      name: 'a\'\\"?',
      price: '12.30',
      day: '2026-02-03',
      at: '2026-02-03T04:05:06.789Z',
      ok: true,
      raw: '\\x00ff',
      doc: { a: 1 },
      version: 1,
      parent: null,
      kind: 'b',
      double_price: '24.60',
    };
    expect({ before: made?.before, after: parsed(made?.after) }).toEqual({ before: null, after: first });
    const increment = cell('version', 1).column;
    const update = {
      op: 'update',
      object,
      key: [cell('id', 1)],
      values: [cell('price', null)],
      expected: [cell('version', 1)],
      increment,
    } as const;
    const changed = await engine.mutate(update);
    expect([parsed(changed?.before), parsed(changed?.after)]).toEqual([
      first,
      { ...first, price: null, double_price: null, version: 2 },
    ]);
    expect(await engine.mutate(update)).toBeUndefined();
    const gone = await engine.mutate({ op: 'delete', object, key: [cell('id', 1)], expected: [] });
    expect([parsed(gone?.before), gone?.after]).toEqual([
      { ...first, price: null, double_price: null, version: 2 },
      null,
    ]);
    expect(await engine.mutate({ op: 'delete', object, key: [cell('id', 1)], expected: [] })).toBeUndefined();
  });

  it.each([
    ['unique_violation', [['name', 'taken']]],
    ['constraint_violation', [['name', null]]],
    ['constraint_violation', [['price', '1.00']]],
    ['constraint_violation', [['name', 'longer than five']]],
    [
      'constraint_violation',
      [
        ['name', 'p'],
        ['price', '1000.00'],
      ],
    ],
    [
      'constraint_violation',
      [
        ['name', 'q'],
        ['price', '950.00'],
      ],
    ],
    [
      'constraint_violation',
      [
        ['name', 'r'],
        ['parent', 7],
      ],
    ],
    [
      'constraint_violation',
      [
        ['name', 's'],
        ['kind', 'c'],
      ],
    ],
    [
      'constraint_violation',
      [
        ['name', 't'],
        ['doc', '{'],
      ],
    ],
    [
      'constraint_violation',
      [
        ['name', 'u'],
        ['double_price', '1.00'],
      ],
    ],
  ] as const)('refuses with %s what the database refuses: %j', async (code, values) => {
    const engine = writer();
    await database.sql("insert ignore into things (name) values ('taken')");
    const before = await database.sql('select count(*) as n from things');
    await expect(
      engine.mutate({ op: 'insert', object, values: values.map(([key, value]) => cell(key, value)) }),
    ).rejects.toMatchObject({ code });
    expect(await database.sql('select count(*) as n from things')).toEqual(before);
    await expect(engine.probe()).resolves.toBeDefined();
  });

  it('writes nothing through a connection that only reads', async () => {
    await expect(engineOf().mutate({ op: 'insert', object, values: [cell('name', 'no')] })).rejects.toMatchObject({
      code: 'read_only_connection',
    });
  });
});

describe('failures', () => {
  it.each([
    ['a wrong password', { password: 'wrong' }, 'source_unreachable'],
    ['an unknown database', { database: 'nowhere' }, 'source_unreachable'],
    ['a port where nobody listens', { port: 1 }, 'source_unreachable'],
  ])('say what is wrong about %s, without a word of the server', async (_what, over, code) => {
    const error = await engineOf(over)
      .probe()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, detail: expect.any(String) as unknown });
    const { detail } = error as { detail: string };
    for (const secret of ['wrong', 'nowhere', database.password, database.username, '127.0.0.1'])
      expect(detail.replace('no database', '')).not.toContain(secret);
  });

  it('tells MySQL and MariaDB apart, with their version', async () => {
    expect((await engineOf().probe()).serverVersion).toMatch(/^(MySQL [89]|MariaDB 1\d)\.\d+\.\d+$/);
  });

  it('find that a table or a column is gone', async () => {
    await database.sql('create table fleeting (id int primary key, a int)');
    const engine = engineOf();
    const plan = readOf(objectOf(named(await engine.discover(), 'fleeting')));
    await database.sql('alter table fleeting drop column a');
    await expect(engine.read(plan)).rejects.toMatchObject({ code: 'source_changed' });
    await database.sql('drop table fleeting');
    await expect(engine.read(plan)).rejects.toMatchObject({ code: 'source_changed' });
  });
});
