import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import type { PgStatement } from './statement.js';
import { poolConfig, type PgSession } from './mini-database.js';

/** A statement of a long work may take so long; it is nobody's page that waits for it. */
const STATEMENT_MS = 300_000;
/** The server ends a transaction in which nothing is asked for so long, whatever became of whoever opened it. */
const IDLE_MS = 120_000;

/** Statements that one connection keeps. */
const MAX_PREPARED = 100;

/** One connection of its own, inside a transaction. */
export interface LongSession extends PgSession {
  /** Commits, and gives the connection back. */
  commit(): Promise<void>;
  /** Gives the connection back, and with it all that was not committed. Never throws; may be called at any time, again too. */
  abandon(): Promise<void>;
}

/**
 * Connections for works that take minutes, imports and exports: not from the pool, for they would keep it from everybody else.
 * How many there are at once is the business of those who open them.
 */
@Injectable()
export class LongSessions implements OnApplicationShutdown {
  private readonly config: pg.ClientConfig;
  private readonly open = new Set<LongSession>();

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const { options, ...settings } = poolConfig(config.miniDb);
    this.config = {
      ...settings,
      query_timeout: STATEMENT_MS + 5_000,
      options: `${options ?? ''} -c statement_timeout=${STATEMENT_MS} -c idle_in_transaction_session_timeout=${IDLE_MS}`,
    };
  }

  /** A snapshot that nothing changes any more, to read from. */
  snapshot(): Promise<LongSession> {
    return this.begin('begin isolation level repeatable read, read only', arrays);
  }

  /** Its statements are prepared from their second time on: there are few, and those of portions come a thousand times. */
  transaction(): Promise<LongSession> {
    return this.begin('begin', prepared());
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.open].map((session) => session.abandon()));
  }

  private async begin(begin: string, asQuery: (statement: PgStatement) => pg.QueryArrayConfig): Promise<LongSession> {
    const client = new pg.Client(this.config);
    // A connection that dies says so by an event, too; whoever asks something of it next is told.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(begin);
    } catch (error) {
      await end(client);
      throw error;
    }
    const session: LongSession = {
      query: async (statement) => (await client.query<string[]>(asQuery(statement))).rows,
      commit: async () => {
        await client.query('commit');
        await session.abandon();
      },
      abandon: async () => {
        if (this.open.delete(session)) await end(client);
      },
    };
    this.open.add(session);
    return session;
  }
}

/** A statement under way is not waited for: the server notices that its client is gone. */
async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}

const arrays = ({ text, values }: PgStatement): pg.QueryArrayConfig => ({
  text,
  values: [...values],
  rowMode: 'array',
});

/** Names for one connection. */
function prepared(): typeof arrays {
  const names = new Map<string, string>();
  return (statement) => {
    const name = names.get(statement.text);
    if (name === undefined && names.size < MAX_PREPARED) names.set(statement.text, `s${names.size}`);
    return name === undefined ? arrays(statement) : { ...arrays(statement), name };
  };
}
