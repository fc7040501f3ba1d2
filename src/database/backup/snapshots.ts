import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresSettings } from '../../config/index.js';
import { poolConfig } from '../mini/index.js';
import { BackupError } from './programs.js';

/** A database as it was at one moment, for as long as its session is open. */
export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  readonly client: pg.Client;
}

/** How long structure changes under way are waited for: first those that are being written down, then those at work in the mini database. */
const LOCK_MS = 20_000;

/**
 * Both databases at moments that agree. A structure change begins and ends in the main database (`schema_ops`), and takes place in the
 * mini one between. No change can begin or end while this looks, main first: so the mini snapshot has no change that the
 * main one does not know, and has all that the main one calls done. One that is pending in the main one may be in the mini one or not; whoever starts on
 * a copy of the two asks there, as after a crash. Rows are written all the time.
 * @throws BackupError tables of the mini database were held by a structure change all the time
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
    const pair = [await open(ofMain), await openLocked(ofMini)] as const;
    await fence.query('commit');
    return await work(...pair);
  } finally {
    await Promise.allSettled(clients.map((client) => client.end()));
  }
}

async function open(client: pg.Client): Promise<Snapshot> {
  await client.query(BEGIN);
  return exported(client);
}

async function exported(client: pg.Client): Promise<Snapshot> {
  const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id');
  return { id: rows[0]?.id ?? '', client };
}

const BEGIN = 'begin isolation level repeatable read read only';

/** Tables and views of all bases. */
const RELATIONS = `select c.oid, format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v') and exists (select from pg_class s where s.relnamespace = n.oid and s.relname = '_stream')
  order by c.oid`;

/** What a lock meets when a structure change is at work: somebody holds it, or it is not there any more. */
const HELD = new Set(['55P03', '42P01', '3F000']);

/**
 * A snapshot in which nothing of a base is dropped or changed while it is open. `pg_dump` locks tables only, and only behind its snapshot; it describes
 * views and columns as they are when it comes to them, and fails where they are gone by then. Locks come before the snapshot (manual, LOCK: a
 * repeatable read transaction sees what was committed when its first query began), and are not waited for: who holds one may wait for another of ours.
 */
async function openLocked(client: pg.Client): Promise<Snapshot> {
  for (const end = Date.now() + LOCK_MS; ;) {
    const { rows: found } = await client.query<{ oid: number; name: string }>(RELATIONS);
    await client.query(BEGIN);
    if (await locked(client, found)) {
      const { rows: seen } = await client.query<{ oid: number; name: string }>(RELATIONS);
      if (JSON.stringify(seen) === JSON.stringify(found)) return exported(client);
    }
    await client.query('rollback');
    if (Date.now() > end)
      throw new BackupError('Tables were changed without a pause, or a long query held them: try again in a moment.');
    await pause(100);
  }
}

/** False: a structure change is at work. */
async function locked(client: pg.Client, relations: readonly { readonly name: string }[]): Promise<boolean> {
  if (relations.length === 0) return true;
  try {
    await client.query(`lock table ${relations.map(({ name }) => name).join(', ')} in access share mode nowait`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && HELD.has(error.code ?? '')) return false;
    throw error;
  }
}

/** As others connect, but without limits of time. */
export const patient = (settings: PostgresSettings): pg.ClientConfig => ({
  ...poolConfig(settings),
  types: undefined,
  query_timeout: 0,
  application_name: 'live-tables backup',
  options: '-c timezone=UTC -c statement_timeout=0 -c idle_in_transaction_session_timeout=0',
});
