import { createHash } from 'node:crypto';
import type { PostgresSettings } from '../../src/config/index.js';
import { sql, type TestDatabases } from '../harness/index.js';

/** What comes and goes by itself: when somebody was last seen and a token last used, messages and mails that were passed on, answers that are kept, indexes on their way, attempts of webhooks, rounds that were made; and that keys were used. */
const RESTLESS_COLUMNS = [
  ...['last_seen_at', 'last_used_at'],
  // How far work in the background is, and who does it.
  ...['attempts', 'failing_since', 'next_at', 'leased_by', 'lease_until'],
];
const RESTLESS_TABLES = [
  'outbox',
  'idempotency_keys',
  'queued_mails',
  'mail_receivers',
  'table_indexes',
  'index_usage',
  'view_api_usage',
  'webhook_deliveries',
  '_live_tables_drift_check',
  '_live_tables_file_sweeps',
];

/** All that both databases hold, as one text: two that are equal mean that nothing was written in between. */
export async function fingerprint({ main, mini }: TestDatabases): Promise<string> {
  const parts = await Promise.all([main, mini].map(digest));
  return parts.join('/');
}

async function digest(database: PostgresSettings): Promise<string> {
  const tables = await sql<{ place: string }>(
    database,
    `select format('%I.%I', schemaname, tablename) as place from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') and tablename <> all($1) order by 1`,
    [RESTLESS_TABLES],
  );
  const each = tables.map(
    ({ place }) =>
      `select '${place}', (to_jsonb(t) - $1::text[])::text as line from ${place} as t where to_jsonb(t) ->> 'action' is distinct from 'api_key.used'`,
  );
  const rows = await sql(database, `${each.join(' union all ')} order by 1, 2`, [RESTLESS_COLUMNS]);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}
