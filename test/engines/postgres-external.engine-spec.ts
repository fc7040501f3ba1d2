import { describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { objectSchemaOf } from '../../src/engines/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import { afterThisFile, databases, pgbouncerBefore, sql } from '../harness/index.js';
import { ANYWHERE, LIMITS, target } from '../support/external.js';
import { conforms, MODEL, type ExternalStore } from './external-conformance.js';

function engineOn(database: PostgresSettings): PostgresEngine {
  const engine = new PostgresEngine(
    target({
      engine: 'postgresql',
      host: database.host,
      port: database.port,
      database: database.database,
      username: database.username,
      password: database.password,
      access: 'read-write',
    }),
    LIMITS,
    ANYWHERE,
  );
  afterThisFile(() => engine.close());
  return engine;
}

/** An engine on a database of its own, which the tests reach past it. */
async function open(): Promise<{ readonly engine: PostgresEngine; readonly database: PostgresSettings }> {
  const { main: database } = await databases({ migrated: false });
  return { engine: engineOn(database), database };
}

async function store(): Promise<ExternalStore> {
  const { engine, database } = await open();
  await sql(
    database,
    `create table public.deals (id int primary key, name text, country varchar(200), qty int, big bigint, amount numeric(20, 2),
       due date, ends date, seen timestamptz, active boolean);
     create index on public.deals (qty); create index on public.deals (name);
     grant select, insert, update, delete on public.deals to public`,
  );
  const [found] = await engine.discover();
  return {
    engine,
    object: objectSchemaOf('test', must(found, 'the table')),
    fill: async (rows) => {
      await sql(database, 'delete from public.deals');
      const names = MODEL.columns.map(({ key }) => key).join();
      await sql(
        database,
        `insert into public.deals (${names}) select ${names} from json_populate_recordset(null::public.deals, $1)`,
        [JSON.stringify(rows)],
      );
    },
  };
}

describe('an external PostgreSQL', () => {
  conforms(store);
});

describe('an external PostgreSQL behind a pooler', () => {
  const drops = {
    auth_type: 'scram-sha-256',
    ignore_startup_parameters: 'options,statement_timeout,extra_float_digits',
  };

  /** What somebody else finds in a session of the pooler. */
  const found = (pooled: PostgresSettings) =>
    sql(
      pooled,
      `select current_setting('default_transaction_read_only') as reads, current_setting('timezone') as zone`,
    );

  it.each([
    ['transaction', {}],
    ['transaction', { default_pool_size: '1' }],
    ['statement', {}],
  ] as const)('that lends sessions by %s (%o) is refused, and its sessions stay as they were', async (mode, more) => {
    const { main: database } = await databases({ migrated: false });
    const pooled = await pgbouncerBefore(database, { pool_mode: mode, ...drops, ...more });
    const before = await found(pooled);
    const engine = engineOn(pooled);
    for (const ask of [() => engine.probe(), () => engine.discover()])
      await expect(ask()).rejects.toMatchObject({ code: 'not_supported_by_source' });
    expect(await found(pooled)).toEqual(before);
  });

  it('that lends them by session is like PostgreSQL itself', async () => {
    const { main: database } = await databases({ migrated: false });
    await sql(database, 'create table public.things (id int primary key); grant select on public.things to public');
    const pooled = await pgbouncerBefore(database, { pool_mode: 'session', ...drops });
    const engine = engineOn(pooled);
    expect((await engine.discover()).map(({ name }) => name)).toEqual(['things']);
  });
});
