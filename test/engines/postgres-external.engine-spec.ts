import { describe } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { objectSchemaOf } from '../../src/engines/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import { afterThisFile, databases, sql } from '../harness/index.js';
import { ANYWHERE, LIMITS, target } from '../support/external.js';
import { conforms, MODEL, type ExternalStore } from './external-conformance.js';

/** An engine on a database of its own, which the tests reach past it. */
async function open(): Promise<{ readonly engine: PostgresEngine; readonly database: PostgresSettings }> {
  const { main: database } = await databases({ migrated: false });
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
  return { engine, database };
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
