import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import type { FoundColumn, FoundObject } from '../../src/engines/external/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import type { ObjectColumn, ObjectSchema, SourceRead } from '../../src/query/index.js';
import { afterThisFile, databases, sql } from '../harness/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, sourceOf, target } from '../support/external.js';

let database: PostgresSettings;
const engineOf = (over: Partial<Parameters<typeof target>[0]> = {}, limits = LIMITS): PostgresEngine => {
  const { host, port, database: name, username, password } = database;
  const at = target({ engine: 'postgresql', host, port, database: name, username, password, ...over });
  const engine = new PostgresEngine(at, limits, ANYWHERE);
  afterThisFile(() => engine.close());
  return engine;
};
const run = (text: string) => sql(database, text);
const GRANT =
  'grant all on all tables in schema public to live_tables; grant all on all sequences in schema public to live_tables';

const found = async (name: string, schema = 'public'): Promise<FoundObject> =>
  must(
    (await engineOf().discover()).find((each) => each.schema === schema && each.name === name),
    `${name} was made`,
  );
const columnOf = (object: ObjectSchema, key: string): ObjectColumn =>
  must(
    object.columns.find((column) => column.key === key),
    'a column of it',
  );
const sorted = (columns: readonly ObjectColumn[], dir: 'asc' | 'desc' = 'asc') =>
  columns.map((column) => ({ by: { kind: 'column', column }, dir }) as const);

/** Native type, a value in SQL, and what is made of them. Each stands in a column of its own, `c0, c1, …`. */
const TYPES: readonly (readonly [string, string, string, unknown, object?])[] = [
  ['smallint', '-32768', 'integer', -32768],
  ['integer', '2147483647', 'integer', 2147483647],
  ['bigint', '-9223372036854775808', 'decimal', '-9223372036854775808', { scale: 0 }],
  ['oid', '4294967295', 'decimal', '4294967295', { scale: 0 }],
  ['numeric(10,2)', '1.5', 'decimal', '1.50', { scale: 2 }],
  ['numeric(5,-2)', '12345', 'decimal', '12300', {}],
  ['numeric', `1${'0'.repeat(29)}.${'3'.repeat(30)}`, 'decimal', `1${'0'.repeat(29)}.${'3'.repeat(30)}`, {}],
  ['numeric', "'NaN'", 'decimal', 'NaN', {}],
  ['real', '0.1', 'decimal', '0.1', {}],
  ['real', '1e-45', 'decimal', `0.${'0'.repeat(44)}1`, {}],
  ['real', '16777217.5', 'decimal', '16777218', {}],
  ['double precision', '0.30000000000000004', 'decimal', '0.30000000000000004', {}],
  ['double precision', '1.7976931348623157e308', 'decimal', `17976931348623157${'0'.repeat(292)}`, {}],
  ['double precision', '-5e-324', 'decimal', `-0.${'0'.repeat(323)}5`, {}],
  ['double precision', "'-Infinity'", 'decimal', '-Infinity', {}],
  ['money', "'-12.30'", 'decimal', '-12.30', { scale: 2 }],
  ['boolean', 'false', 'boolean', false],
  ['date', "'0001-01-01'", 'date', '0001-01-01'],
  ['date', "'infinity'", 'date', 'infinity'],
  ['date', "'0044-03-15 BC'", 'date', '0044-03-15 BC'],
  ['timestamp', "'2026-11-26 12:34:56.000001'", 'datetime', '2026-11-26T12:34:56.000001Z'],
  ['timestamp(3)', "'9999-12-31 23:59:59.12'", 'datetime', '9999-12-31T23:59:59.120Z'],
  ['timestamp', "'0044-03-15 01:02:03 BC'", 'datetime', '0044-03-15 01:02:03 BC'],
  ['timestamp with time zone', "'2026-11-26 12:34:56+05:30'", 'datetime', '2026-11-26T07:04:56.000Z'],
  ['timestamp with time zone', "'-infinity'", 'datetime', '-infinity'],
  ['time', "'24:00:00'", 'text', '24:00:00'],
  ['interval', "'1 year 2 mons -3 days 04:05:06'", 'text', '1 year 2 mons -3 days +04:05:06'],
  ['text', `'🦊 \\ "quoted" ''a'' ' || chr(10) || chr(1)`, 'text', '🦊 \\ "quoted" \'a\' \n\u0001'],
  ['character varying(20)', "'é' || U&'\\0301'", 'text', 'é\u0301'],
  ['character(5)', "'ab'", 'text', 'ab'],
  ['citext', "'MiXed'", 'text', 'MiXed'],
  ['text collate blind', "'Ä'", 'text', 'Ä'],
  ['text collate "C"', "'z'", 'text', 'z'],
  ['mood', "'it''s ok'", 'text', "it's ok"],
  ['uuid', "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", 'text', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['bytea', "'\\x00FF'", 'text', '\\x00ff'],
  ['bytea', "''", 'text', '\\x'],
  ['inet', "'10.0.0.1/8'", 'text', '10.0.0.1/8'],
  ['int4range', "'[1,5)'", 'text', '[1,5)'],
  ['bit varying(5)', "B'101'", 'text', '101'],
  ['xml', '\'<a b="c"/>\'', 'text', '<a b="c"/>'],
  ['point', "'(1,2.5)'", 'text', '(1,2.5)'],
  ['json', `'{"a":  [1, null, "ü"], "__proto__": {"b": 0.1}}'`, 'json', expect.objectContaining({ a: [1, null, 'ü'] })],
  ['jsonb', `'[{"a": true}]'`, 'json', [{ a: true }]],
  ['integer[]', "'{{1,null},{3,4}}'", 'json', [[1, null], [3, 4]]], // prettier-ignore
  ['double precision[]', "'{NaN,1}'", 'json', ['NaN', 1]],
  ['pair', `row(1, 'x"')`, 'json', { a: 1, b: 'x"' }],
  ['cents', '1.5', 'decimal', '1.50', { scale: 2 }],
  ['inner_cents', '2.5', 'decimal', '2.50', { scale: 2 }],
  ['tags', "'{a,b}'", 'json', ['a', 'b']],
  ['text generated always as (id || $$!$$) stored', 'default', 'text', '1!'],
];

beforeAll(async () => {
  ({ main: database } = await databases({ migrated: false }));
  await run(`create extension citext;
    create collation blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
    create type mood as enum ('sad', 'it''s ok', 'glad'); create type pair as (a int, b text);
    create domain cents as numeric(10, 2); create domain inner_cents as cents not null check (value > 0); create domain tags as text[]`);
});

describe('a native type', () => {
  let every: FoundObject;
  let fields: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    await run(`create table every_type (id int primary key, ${TYPES.map(([native], i) => `c${i} ${native}`).join()});
      insert into every_type values (1, ${TYPES.map(([, text]) => text).join()}); ${GRANT}`);
    every = await found('every_type');
    [fields = {}] = await fieldsOf(engineOf(), readOf(objectOf(every)));
  });

  it.each(
    TYPES.map(
      ([native, text, type, value, options = {}], i) => [native, text.slice(0, 40), i, type, value, options] as const,
    ),
  )('%s with %s keeps its value, column %d', (native, _text, i, type, value, options) => {
    const made: FoundColumn = must(every.columns[i + 1], 'in the order in which they were made');
    expect(made).toMatchObject({ key: `c${i}`, type, options, nullable: true });
    expect(fields[`c${i}`]).toEqual(value);
    expect(made.nativeType).toContain(native.split(/[ (]/)[0]);
  });

  it('is found by each value that was read, and only then', async () => {
    const engine = engineOf();
    const object = objectOf(every);
    for (const column of object.columns.filter(({ type }) => type !== 'json')) {
      const where = { kind: 'compare', column, op: 'eq', value: fields[column.key] as string } as const;
      const by = async (condition: SourceRead['where']) =>
        (await fieldsOf(engine, readOf(object, { where: condition, select: object.key }))).length;
      const one = { kind: 'oneOf', column, values: [where.value] } as const;
      expect([column.key, await by(where), await by({ ...where, op: 'neq' }), await by(one)]).toEqual([
        column.key,
        1,
        0,
        1,
      ]);
    }
  });

  it('is compared with numbers that it cannot hold', async () => {
    const object = objectOf(every);
    const floats = object.columns.filter(({ form }) => ['real', 'double', 'bigint', 'oid'].includes(form));
    expect(floats.length).toBeGreaterThan(7);
    for (const column of floats)
      for (const value of [`1${'0'.repeat(400)}`, `-1${'0'.repeat(400)}`, `0.${'0'.repeat(400)}1`]) {
        const rows = await fieldsOf(
          engineOf(),
          readOf(object, { where: { kind: 'compare', column, op: 'eq', value } }),
        );
        expect([column.key, rows]).toEqual([column.key, []]);
      }
  });
});

describe('discovery', () => {
  it('tells keys, references, views and what may be null', async () => {
    await run(`
      create schema "o.ther"; grant usage on schema "o.ther" to live_tables;
      create table "o.ther"."a ""b"" \\c" ("__proto__" int, "x.y" text, "'" int, primary key ("x.y", "__proto__"));
      create table "o.ther".same (id int primary key);
      create table customers (id bigint generated always as identity primary key, code varchar(10) not null unique, mail text unique, low text not null, twice int not null);
      create unique index on customers (lower(low)); create unique index on customers (twice) where twice > 0; create unique index on customers (twice, code desc);
      create table covered (id int, x int, primary key (id) include (x));
      create table orders (id int primary key, customer bigint references customers, p int, t text, foreign key (t, p) references "o.ther"."a ""b"" \\c");
      create table parts (at date not null, id int, primary key (at, id)) partition by range (at);
      create table parts_1 partition of parts for values from ('2026-01-01') to ('2027-01-01');
      create table parts_2 partition of parts for values from ('2027-01-01') to ('2028-01-01');
      create table of_parts (id int primary key, at date, part int, foreign key (at, part) references parts);
      create view big as select c.id, code, ('1.5'::inner_cents) as price from customers c left join orders o on false;
      create materialized view kept as select id from customers;
      create table old (id int); insert into old values (null); alter table old add constraint later not null id not valid;
      grant all on all tables in schema "o.ther" to live_tables; ${GRANT}`);
    const customers = await found('customers');
    expect(customers).toMatchObject({ kind: 'table', primaryKey: ['id'], uniqueKeys: [['code'], ['twice', 'code']] });
    expect(customers.columns.map(({ key, nullable }) => [key, nullable])).toEqual([
      ['id', false],
      ['code', false],
      ['mail', true],
      ['low', false],
      ['twice', false],
    ]);
    const strange = await found('a "b" \\c', 'o.ther');
    expect(strange.primaryKey).toEqual(['x.y', '__proto__']);
    expect(strange.columns.map(({ key }) => key)).toEqual(['__proto__', 'x.y', "'"]);
    expect((await found('covered')).primaryKey).toEqual(['id']);
    expect((await found('orders')).foreignKeys).toEqual([
      { columns: ['customer'], schema: 'public', name: 'customers', references: ['id'] },
      { columns: ['t', 'p'], schema: 'o.ther', name: 'a "b" \\c', references: ['x.y', '__proto__'] },
    ]);
    expect((await found('parts')).primaryKey).toEqual(['at', 'id']);
    expect((await found('of_parts')).foreignKeys).toEqual([
      { columns: ['at', 'part'], schema: 'public', name: 'parts', references: ['at', 'id'] },
    ]);
    expect(await found('big')).toMatchObject({ kind: 'view', primaryKey: [], columns: [{}, {}, { nullable: true }] });
    expect(await found('kept')).toMatchObject({ kind: 'view', columns: [{ key: 'id' }] });
    expect(await found('old')).toMatchObject({ columns: [{ key: 'id', nullable: true }] });
    const names = (await engineOf().discover()).map(({ schema, name }) => `${schema}/${name}`);
    expect(names.filter((name) => /parts_|pg_|information/.test(name))).toEqual([]);
  });

  it('leaves out what the user may not read, and keys that are made of it', async () => {
    await run(`create table hidden (id int primary key);
      create table partly (id int, secret int, code int not null unique, other int references hidden, primary key (secret, id));
      insert into partly values (1, 2, 3); grant select (id, code) on partly to live_tables`);
    const partly = await found('partly');
    expect(partly).toMatchObject({ primaryKey: [], uniqueKeys: [['code']], foreignKeys: [] });
    expect(partly.columns.map(({ key }) => key)).toEqual(['id', 'code']);
    expect(await fieldsOf(engineOf(), readOf(objectOf(partly)))).toEqual([{ id: 1, code: 3 }]);
    expect((await engineOf().discover()).map(({ name }) => name)).not.toContain('hidden');
    const all = await engineOf().discover();
    expect(await engineOf({}, { ...LIMITS, maxObjects: 2 }).discover()).toEqual(all.slice(0, 2));
  });
});

describe('many values of a native type', () => {
  /** Values in SQL, none equal to another; in order, as the product has it. */
  const VALUES: readonly (readonly [string, readonly string[]])[] = [
    ['bigint', ['-9223372036854775808', '-1', '0', '9223372036854775807']],
    ['oid', ['0', '1', '4294967295']],
    ['numeric', [`-${'9'.repeat(40)}`, '-0.0000000001', '0', `${'1'.repeat(59)}.1`, `${'1'.repeat(59)}.2`]],
    ['numeric(5,-2)', ['-100', '0', '12300']],
    ['money', ["'-1'", "'0.01'", "'1000'"]],
    ['real', ["'-Infinity'", '-1.5', '1e-45', '0.1', '16777216', '16777218', '1e30']],
    ['double precision', ['-1e308', '-1e-300', '0', '5e-324', '0.1', '0.30000000000000004', '1e22', "'Infinity'"]],
    ['boolean', ['false', 'true']],
    ['date', ["'-infinity'", "'0044-03-15 BC'", "'0001-01-01'", "'9999-12-31'", "'infinity'"]],
    ['timestamp', ["'0044-03-15 BC'", "'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.00001'", "'infinity'"]],
    ['timestamptz', ["'-infinity'", "'2026-01-01 00:00:00.000001+02'", "'2026-01-01 00:00:00Z'", "'9999-12-31'"]],
    ['character(8)', ["'A'", "'a'", "'a b'", "'ä'"]],
    ['citext', ["'A'", "'B'", "'a'", "'b'"]],
    ['text collate blind', ["''", "'A'", "'a'", "'a '", "'ä'", "'🐱'", "'🦊'"]],
    ['varchar(9)', ["''", "'A'", "'Z'", "'a'", "'é'", "'\uffee'", "'🦊'"]],
    ['mood', ["'glad'", "'it''s ok'", "'sad'"]],
    ['uuid', ["'00000000-0000-0000-0000-000000000001'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]],
    ['bytea', ["''", "'\\x00'", "'\\x0000'", "'\\x5c27'", "'\\xff'"]],
    ['interval', ["'1 day'", "'24:00'"]],
  ];
  const ROWS = 9;
  let object: ObjectSchema;
  beforeAll(async () => {
    const rows = Array.from(
      { length: ROWS },
      (_row, n) => `(${n}, ${VALUES.map(([, values]) => values[n] ?? 'null').join()})`,
    );
    await run(`create table several (id int primary key, ${VALUES.map(([native], i) => `c${i} ${native}`).join()});
      insert into several values ${rows.join()}; ${GRANT}`);
    object = objectOf(await found('several'));
  });

  it.each(VALUES.map(([native, values], i) => [native, i, values.length] as const))(
    'of %s: each is found by itself alone, and pages in both directions are in order and whole',
    async (_native, i, length) => {
      const engine = engineOf();
      const [id, column] = [columnOf(object, 'id'), columnOf(object, `c${i}`)];
      const select = [id, column];
      const all = await fieldsOf(engine, readOf(object, { orderBy: sorted([column, id]), select }));
      const nulls = Array.from({ length: ROWS - length }, (_null, n) => length + n);
      expect(all.map((row) => row.id)).toEqual([...nulls, ...Array.from({ length }, (_value, n) => n)]);
      for (const limit of [1, 2]) {
        expect(await fieldsOf(engine, readOf(object, { orderBy: sorted([column, id]), select, limit }))).toEqual(all);
        const back = await fieldsOf(engine, readOf(object, { orderBy: sorted([column, id], 'desc'), select, limit }));
        expect(back).toEqual([...all].reverse());
      }
      const values = all.slice(nulls.length);
      for (const [at, row] of values.entries()) {
        const value = row[column.key] as string;
        const ids = async (where: SourceRead['where']) =>
          (await fieldsOf(engine, readOf(object, { where, select: [id] }))).map((each) => each.id);
        expect([value, await ids({ kind: 'compare', column, op: 'eq', value })]).toEqual([value, [row.id]]);
        expect([value, await ids({ kind: 'oneOf', column, values: [value] })]).toEqual([value, [row.id]]);
        const below = values.slice(0, at).map((each) => each.id);
        expect([value, await ids({ kind: 'compare', column, op: 'lt', value })]).toEqual([value, below]);
      }
    },
  );
});

describe('reading', () => {
  it('pages through a table without a key, also where nothing can be sorted by', async () => {
    await run(`create table keyless (a int, d jsonb); insert into keyless select n % 2, to_jsonb(n) from generate_series(1, 5) n;
      create table shapeless (d jsonb); insert into shapeless select to_jsonb(n) from generate_series(1, 5) n; ${GRANT}`);
    for (const name of ['keyless', 'shapeless']) {
      const object = objectOf(await found(name));
      const orderBy = sorted(object.columns.filter(({ type }) => type !== 'json'));
      const engine = engineOf();
      const seen: number[] = [];
      for (const skip of [0, 2, 4]) {
        const { data } = await engine.read(readOf(object, { orderBy, skip, limit: 2 }));
        seen.push(...(JSON.parse(`[${data}]`) as { fields: { d: number } }[]).map(({ fields }) => fields.d));
      }
      expect(seen.sort()).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it('joins objects of one name, texts of two collations and types that have nothing in common, and never nulls', async () => {
    await run(`create schema two; grant usage on schema two to live_tables;
      create table people (id int primary key, name text collate "C", m mood, c citext); create table two.people (id int primary key, name text collate "POSIX", m varchar(9), c character(9));
      insert into people values (1, 'Ä', 'sad', 'x'), (2, null, null, null), (3, 'b', 'glad', 'Y');
      insert into two.people values (1, 'Ä', 'sad', 'x'), (2, null, null, null), (3, 'B', 'GLAD', 'y');
      grant all on all tables in schema two to live_tables; ${GRANT}`);
    const left = objectOf(await found('people'));
    const made = objectOf(await found('people', 'two'));
    const right = { ...made, columns: made.columns.map((each) => ({ ...each, key: `two_${each.key}`, alias: 'p' })) };
    for (const key of ['name', 'm', 'c'])
      for (const type of ['left', 'inner'] as const) {
        const on = [{ left: columnOf(left, key), right: columnOf(right, `two_${key}`) }];
        const from = { ...sourceOf(left), joins: [{ type, alias: 'p', object: right, on }] };
        const select = [columnOf(left, 'id'), columnOf(right, 'two_id')];
        const rows = await fieldsOf(engineOf(), { ...readOf(left), from, select, count: 'exact' });
        const pairs = [
          { id: 1, two_id: 1 },
          { id: 2, two_id: null },
          { id: 3, two_id: null },
        ];
        expect([key, rows]).toEqual([key, type === 'left' ? pairs : pairs.slice(0, 1)]);
      }
  });

  it('says that the database failed, and not that values are wrong, where a view cannot be read', async () => {
    await run(`create view broken as select n as id, 1 / (n - 2) as x from generate_series(1, 3) n; ${GRANT}`);
    const object = objectOf({ ...(await found('broken')), primaryKey: ['id'] });
    await expect(engineOf().read(readOf(object))).rejects.toMatchObject({ code: 'source_failed' });
  });

  it('counts exactly, and estimates a whole object', async () => {
    await run(`create table counted as select n as id from generate_series(1, 7) n; analyze counted; ${GRANT}`);
    const object = objectOf({ ...(await found('counted')), primaryKey: ['id'] });
    const count = async (mode: SourceRead['count']) =>
      (await engineOf().read(readOf(object, { count: mode, limit: 1 }))).count;
    expect(await count('exact')).toEqual({ mode: 'exact', value: 7, relation: 'exact' });
    expect(await count('estimated')).toEqual({ mode: 'estimated', value: 7, relation: 'estimate' });
  });

  it('finds that a column or a table is gone', async () => {
    await run(`create table fleeting (id int primary key, a int); ${GRANT}`);
    const plan = readOf(objectOf(await found('fleeting')));
    const engine = engineOf();
    await run('alter table fleeting drop column a');
    await expect(engine.read(plan)).rejects.toMatchObject({ code: 'source_changed' });
    await run('drop table fleeting');
    await expect(engine.read(plan)).rejects.toMatchObject({ code: 'source_changed' });
  });
});
