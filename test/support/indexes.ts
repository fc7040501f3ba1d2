import pg from 'pg';
import type { PostgresSettings } from '../../src/config/index.js';
import { afterThisFile, expectStatus, sql, waitFor, type Client, type Table } from '../harness/index.js';

export interface Index {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly columns: readonly { readonly columnId: string | null; readonly field: string; readonly dir: string }[];
  readonly state: 'building' | 'ready' | 'failed' | 'dropping';
  readonly unique: boolean;
  readonly automatic: boolean;
  readonly limitsValues: boolean;
  readonly error?: { readonly code: string; readonly detail: string };
  readonly createdBy: string | null;
}

export async function indexesOf(as: Client, { id }: Pick<Table, 'id'>): Promise<readonly Index[]> {
  return expectStatus(await as.get<{ data: readonly Index[] }>(`/tables/${id}/indexes`), 200).data;
}

export async function addIndex(as: Client, { id }: Pick<Table, 'id'>, body: object): Promise<Index> {
  return expectStatus(await as.post<Index>(`/tables/${id}/indexes`, body), 202);
}

/** The index when nothing is to be done for it any more. */
export const settled = (as: Client, table: Pick<Table, 'id'>, id: string, ms = 30_000): Promise<Index> =>
  waitFor(
    async () => (await indexesOf(as, table)).find((index) => index.id === id && /ready|failed/.test(index.state)),
    ms,
    50,
  );

/** What PostgreSQL has, by name. */
export const physicalIndexes = (
  mini: PostgresSettings,
  { physical }: Pick<Table, 'physical'>,
): Promise<{ readonly name: string; readonly valid: boolean; readonly text: string }[]> =>
  sql(
    mini,
    `select c.relname as name, i.indisvalid as valid, pg_get_indexdef(i.indexrelid) as text
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = $1 and t.relname = $2 order by 1`,
    [physical.schema, physical.table],
  );

/** Somebody who has begun to read, and does not end: PostgreSQL completes no index as long as he is there. */
export async function heldSnapshot(mini: PostgresSettings): Promise<{ end(): Promise<void> }> {
  const { host, port, username: user, password, database } = mini;
  const reader = new pg.Client({ host, port, user, password, database });
  await reader.connect();
  await reader.query('begin isolation level repeatable read; select 1 from pg_class limit 1');
  let ended: Promise<void> | undefined;
  const end = () => (ended ??= reader.end());
  afterThisFile(end);
  return { end };
}
