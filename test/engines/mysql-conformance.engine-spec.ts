import { describe } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { MysqlEngine } from '../../src/engines/external/mysql/index.js';
import { objectSchemaOf } from '../../src/engines/index.js';
import type { Scalar } from '../../src/query/index.js';
import { afterThisFile, mysqlDatabase } from '../harness/index.js';
import { ANYWHERE, LIMITS, target } from '../support/external.js';
import { conforms, MODEL, type ExternalStore } from './external-conformance.js';

/** As a session of the tests reads it, whose backslashes escape. */
function literal(value: Scalar, type: string): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  const text = type === 'datetime' ? String(value).replace('T', ' ').replace('Z', '') : String(value);
  return `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`;
}

async function store(): Promise<ExternalStore> {
  const database = await mysqlDatabase();
  const engine = new MysqlEngine(target({ ...database }), LIMITS, ANYWHERE);
  afterThisFile(() => engine.close());
  // A collation that takes much for equal, and texts that are longer than an index: the answers must not depend on it.
  await database.sql(
    `create table deals (id int primary key, name text collate utf8mb4_general_ci, country varchar(200) collate utf8mb4_unicode_ci,
       qty int, big bigint, amount decimal(20, 2), due date, ends date, seen datetime(3), active boolean, index (country), index (qty))`,
  );
  const [found] = await engine.discover();
  return {
    engine,
    object: objectSchemaOf('test', must(found, 'the table')),
    fill: async (rows) => {
      await database.sql('delete from deals');
      const tuples = rows.map(
        (row) => `(${MODEL.columns.map(({ key, type }) => literal(row[key] ?? null, type)).join()})`,
      );
      await database.sql(`insert into deals values ${tuples.join()}`);
    },
  };
}

describe('a MySQL or MariaDB', () => {
  conforms(store);
});
