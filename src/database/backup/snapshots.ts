import pg from 'pg';
import type { PostgresSettings } from '../../config/index.js';
import { poolConfig } from '../mini/index.js';

/** A database as it was at one moment, for as long as its session is open. */
export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  readonly client: pg.Client;
}

/** How long a structure change that is being written down is waited for. */
const LOCK_MS = 20_000;

/**
 * Both databases at moments that agree. A structure change begins and ends in the main database (`schema_ops`), and takes place in the
 * mini one between. No change can begin or end while this looks, main first: so the mini snapshot has no change that the
 * main one does not know, and has all that the main one calls done. One that is pending in the main one may be in the mini one or not; whoever starts on
 * a copy of the two asks there, as after a crash. Rows are written all the time.
 */
export async function snapshotPair<T>(
  main: PostgresSettings,
  mini: PostgresSettings,
  work: (main: Snapshot, mini: Snapshot) => Promise<T>,
): Promise<T> {
  const [fence, ofMain, ofMini] = [main, main, mini].map((settings) => new pg.Client(patient(settings))) as [
    pg.Client,
    pg.Client,
    pg.Client,
  ];
  const clients = [fence, ofMain, ofMini];
  // A session that ends is told by the statement that fails.
  for (const client of clients) client.on('error', () => undefined);
  try {
    await Promise.all(clients.map((client) => client.connect()));
    await fence.query(`begin; set local lock_timeout = ${LOCK_MS}; lock table schema_ops in share mode`);
    const pair = [await open(ofMain), await open(ofMini)] as const;
    await fence.query('commit');
    return await work(...pair);
  } finally {
    await Promise.allSettled(clients.map((client) => client.end()));
  }
}

async function open(client: pg.Client): Promise<Snapshot> {
  await client.query('begin isolation level repeatable read read only');
  const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id');
  return { id: rows[0]?.id ?? '', client };
}

/** As others connect, but without limits of time. */
export const patient = (settings: PostgresSettings): pg.ClientConfig => ({
  ...poolConfig(settings),
  types: undefined,
  query_timeout: 0,
  application_name: 'live-tables backup',
  options: '-c timezone=UTC -c statement_timeout=0 -c idle_in_transaction_session_timeout=0',
});
