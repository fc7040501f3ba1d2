import { Inject, Injectable } from '@nestjs/common';
import pg from 'pg';
import { APP_CONFIG, type AppConfig, type PostgresSettings } from '../../config/index.js';
import { MiniDatabase, poolConfig, type PgSession } from './mini-database.js';

/** Longer than any statement or idle transaction of ours may last: whoever waits so long waits for somebody else. */
const LOCK_TIMEOUT = '3min';

/**
 * A connection of the mini-DB for work that takes as long as it takes: outside the pool, so that it takes none from requests, and
 * without the time limits of a statement. There are as many as are asked for; ask for one at a time.
 */
@Injectable()
export class MiniMaintenance {
  private readonly settings: PostgresSettings;

  constructor(
    private readonly database: MiniDatabase,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.settings = config.miniDb;
  }

  /** Runs `work` outside any transaction. Once `signal` says so, what runs is cancelled, and everything after it fails. */
  async run<T>(signal: AbortSignal, work: (session: PgSession) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      ...poolConfig(this.settings),
      query_timeout: undefined,
      application_name: 'live-tables maintenance',
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const pid = await prepare(client);
      const cancel = () => void this.cancel(pid);
      signal.addEventListener('abort', cancel);
      try {
        return await work({
          query: async ({ text, values }) => {
            signal.throwIfAborted();
            const result = await client.query({ text, values: [...values], rowMode: 'array' });
            return result.rows as (string | null)[][];
          },
        });
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    } finally {
      await client.end();
    }
  }

  /** By another connection. Where that fails, the statement ends by itself. */
  private async cancel(pid: string): Promise<void> {
    await this.database.query({ text: 'select pg_cancel_backend($1::integer)', values: [pid] }).catch(() => undefined);
  }
}

async function prepare(client: pg.Client): Promise<string> {
  await client.query(`set statement_timeout = 0; set lock_timeout = '${LOCK_TIMEOUT}'`);
  // So that PostgreSQL does not go on with the work of a process that is gone; not every platform can tell.
  await client.query("set client_connection_check_interval = '2s'").catch(() => undefined);
  const { rows } = await client.query<{ pid: string }>('select pg_backend_pid() as pid');
  return String(rows[0]?.pid);
}
