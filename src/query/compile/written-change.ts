import type { TableSchema } from '../schema.js';
import { sql, value, type Sql } from '../sql.js';
import type { EntryPart, SharedPart } from './chain.js';

/** When a statement changes rows, as rows and log keep it. */
export const NOW = sql`date_trunc('milliseconds', statement_timestamp())`;

/** What the entries of a write `w` share, each part as the log is given it. */
export const sharedOf = (table: TableSchema): ((part: SharedPart) => Sql) => {
  const parts: Record<SharedPart, Sql> = {
    table_id: value(table.id, 'uuid'),
    at: NOW,
    actor_id: sql`w.actor`,
    actor_name: sql`w.actor_name`,
    client_id: sql`w.client`,
    ip: sql`w.ip`,
    source: sql`w.source`,
    request_id: sql`w.request`,
    change_set: sql`w.change_set`,
    revert_of: sql`w.revert_of`,
    schema_version: value(table.schemaVersion, 'integer'),
  };
  return (part) => parts[part];
};

const SAID: Record<EntryPart, Sql> = {
  ord: sql`c.o`,
  row_id: sql`c._id`,
  version: sql`c._version`,
  op: sql`c.op`,
  before: sql`c.before`,
  after: sql`c.after`,
};
/** What the entry of a change `c` says. */
export const saidOf = (part: EntryPart): Sql => SAID[part];
