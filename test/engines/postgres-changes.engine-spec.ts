import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import type { ObjectCell, ObjectSchema } from '../../src/query/index.js';
import { afterThisFile, databases, sql } from '../harness/index.js';
import { ANYWHERE, LIMITS, objectOf, target } from '../support/external.js';

let database: PostgresSettings;
let object: ObjectSchema;

const engineOf = (access: 'read-only' | 'read-write' = 'read-write'): PostgresEngine => {
  const { host, port, database: name, username, password } = database;
  const at = target({ engine: 'postgresql', host, port, database: name, username, password, access });
  const engine = new PostgresEngine(at, LIMITS, ANYWHERE);
  afterThisFile(() => engine.close());
  return engine;
};
const cell = (key: string, value: ObjectCell['value']): ObjectCell => ({
  column: must(
    object.columns.find((column) => column.key === key),
    'a column of it',
  ),
  value,
});
const parsed = (text: string | null | undefined): unknown => (typeof text === 'string' ? JSON.parse(text) : text);
const rows = () => sql(database, 'select name from things order by id');

beforeAll(async () => {
  ({ main: database } = await databases({ migrated: false }));
  await sql(
    database,
    `create type kind as enum ('a', 'b'); create domain short as varchar(9) check (value <> 'bad');
    create table parents (id int primary key); insert into parents values (1);
    create table things (id bigint generated always as identity primary key, name varchar(5) not null unique, price numeric(5, 2) check (price < 900), day date, at timestamptz, ok boolean,
      raw bytea, doc jsonb, version int not null default 1, parent int references parents deferrable initially deferred, kind kind, word short, cash money, half real,
      twice numeric(6, 2) generated always as (price * 2) stored);
    create function guard() returns trigger language plpgsql as $$ begin
      if new.name = 'boo' then raise exception 'secret words of a trigger'; end if; return new; end $$;
    create trigger guard before insert or update on things for each row execute function guard();
    grant all on all tables in schema public to live_tables; grant all on all sequences in schema public to live_tables`,
  );
  const found = await engineOf().discover();
  object = objectOf(
    must(
      found.find(({ name }) => name === 'things'),
      'the table',
    ),
  );
});

describe('changing', () => {
  const first = {
    id: '1',
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
    word: 'ok',
    cash: '-1.50',
    half: '0.5',
    twice: '24.60',
  };

  it('inserts, updates with a version, and deletes one row, and tells what it was', async () => {
    const engine = engineOf();
    const values = Object.entries(first)
      .filter(([key]) => !['id', 'version', 'parent', 'twice'].includes(key))
      .map(([key, value]) => cell(key, key === 'doc' ? '{"a":1}' : (value as string)));
    const made = await engine.mutate({ op: 'insert', object, values });
    expect([made?.before, parsed(made?.after)]).toEqual([null, first]);
    const increment = cell('version', 1).column;
    const key = [cell('id', '1')];
    const expected = [cell('version', 1), cell('price', '12.3'), cell('parent', null), cell('raw', '\\x00ff')];
    const update = { op: 'update', object, key, values: [cell('price', null)], expected, increment } as const;
    const changed = await engine.mutate(update);
    const second = { ...first, price: null, twice: null, version: 2 };
    expect([parsed(changed?.before), parsed(changed?.after)]).toEqual([first, second]);
    expect(await engine.mutate(update)).toBeUndefined();
    const gone = await engine.mutate({ op: 'delete', object, key, expected: [] });
    expect([parsed(gone?.before), gone?.after]).toEqual([second, null]);
    expect(await engine.mutate({ op: 'delete', object, key, expected: [] })).toBeUndefined();
  });

  it('tells of a row that a trigger kept from being deleted', async () => {
    await sql(
      database,
      `create table kept (id int primary key, gone boolean not null default false); insert into kept values (1);
      create function keep() returns trigger language plpgsql as $$ begin update kept set gone = true where id = old.id; return null; end $$;
      create trigger keep before delete on kept for each row execute function keep();
      grant all on kept to live_tables`,
    );
    const engine = engineOf();
    const kept = objectOf(
      must(
        (await engine.discover()).find(({ name }) => name === 'kept'),
        'the table',
      ),
    );
    const key = [{ column: must(kept.key[0], 'its key'), value: '1' }];
    const done = await engine.mutate({ op: 'delete', object: kept, key, expected: [] });
    expect([parsed(done?.before), parsed(done?.after)]).toEqual([
      { id: 1, gone: false },
      { id: 1, gone: true },
    ]);
  });

  it.each([
    ['unique_violation', { name: 'taken' }],
    ['constraint_violation', { name: null }],
    ['constraint_violation', { price: '1.00' }],
    ['constraint_violation', { name: 'longer than five' }],
    ['constraint_violation', { name: 'p', price: '1000.00' }],
    ['constraint_violation', { name: 'q', price: '950.00' }],
    ['constraint_violation', { name: 'r', parent: 7 }],
    ['constraint_violation', { name: 's', kind: 'c' }],
    ['constraint_violation', { name: 't', doc: '{' }],
    ['constraint_violation', { name: 'u', twice: '1.00' }],
    ['constraint_violation', { name: 'v', word: 'bad' }],
    ['constraint_violation', { name: 'w', raw: '\\xzz' }],
    ['constraint_violation', { name: 'x', id: '5' }],
    ['constraint_violation', { name: 'boo' }],
  ] as const)('refuses with %s what the database refuses: %j, before anybody hears of it', async (code, values) => {
    const engine = engineOf();
    await sql(database, "insert into things (name) values ('taken') on conflict do nothing");
    const before = await rows();
    let told = 0;
    const hear = () => {
      told += 1;
      return Promise.resolve();
    };
    const insert = { op: 'insert', object, values: Object.entries<string | number | null>(values).map(([key, value]) => cell(key, value)) } as const; // prettier-ignore
    const error: unknown = await engine.mutate(insert, hear).catch((thrown: unknown) => thrown); // prettier-ignore
    expect(error).toMatchObject({ code });
    expect(String((error as { detail?: unknown }).detail)).not.toContain('secret words');
    expect(told).toBe(0);
    expect(await rows()).toEqual(before);
    await expect(engine.probe()).resolves.toBeDefined();
  });

  it('is undone when who is told of it fails', async () => {
    const engine = engineOf();
    const before = await rows();
    const told = () => Promise.reject(new Error('not heard'));
    await expect(engine.mutate({ op: 'insert', object, values: [cell('name', 'undo')] }, told)).rejects.toMatchObject({
      code: 'source_failed',
    });
    expect(await rows()).toEqual(before);
    await expect(engine.mutate({ op: 'insert', object, values: [cell('name', 'undo')] })).resolves.toBeDefined();
  });

  it('is not done through a connection that only reads', async () => {
    const values = [cell('name', 'no')];
    await expect(engineOf('read-only').mutate({ op: 'insert', object, values })).rejects.toMatchObject({
      code: 'read_only_connection',
    });
  });

  it('is not done by a user who may not', async () => {
    await sql(database, 'create table locked (id int primary key); grant select on locked to live_tables');
    const engine = engineOf();
    const found = (await engine.discover()).find(({ name }) => name === 'locked');
    const locked = objectOf(must(found, 'the table'));
    const values = locked.columns.map((column) => ({ column, value: 1 }));
    await expect(engine.mutate({ op: 'insert', object: locked, values })).rejects.toMatchObject({
      code: 'source_failed',
      detail: 'The user of the connection may not do this in the database.',
    });
  });
});
