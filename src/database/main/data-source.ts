import { DataSource, type DataSourceOptions } from 'typeorm';
import { isTracing } from '../../common/index.js';
import type { PostgresSettings } from '../../config/index.js';
import { APPLICATION } from './audit-chain.js';
import { verifyWritable } from '../writable.js';
import { TracedClient } from './traced-client.js';
import { Foundation1700000000000 } from './migrations/1700000000000-foundation.js';
import { Accounts1700000000100 } from './migrations/1700000000100-accounts.js';
import { Idempotency1700000000200 } from './migrations/1700000000200-idempotency.js';
import { AuditIndexes1700000000300 } from './migrations/1700000000300-audit-indexes.js';
import { DeletedWith1700000000700 } from './migrations/1700000000700-deleted-with.js';
import { ColumnConversions1700000000800 } from './migrations/1700000000800-column-conversions.js';
import { UniqueIndexes1700000000900 } from './migrations/1700000000900-unique-indexes.js';
import { Imports1700000001100 } from './migrations/1700000001100-imports.js';
import { Connections1700000001200 } from './migrations/1700000001200-connections.js';
import { Views1700000001300 } from './migrations/1700000001300-views.js';
import { Publishing1700000001400 } from './migrations/1700000001400-publishing.js';
import { TableRules1700000001600 } from './migrations/1700000001600-table-rules.js';
import { WorkspaceStreams1700000001850 } from './migrations/1700000001850-workspace-streams.js';
import { HistoryDays1700000001990 } from './migrations/1700000001990-history-days.js';
import { RestingIndexes1700000002000 } from './migrations/1700000002000-resting-indexes.js';
import { PersonalTokens1700000002100 } from './migrations/1700000002100-personal-tokens.js';
import { KeyQuotas1700000001950 } from './migrations/1700000001950-key-quotas.js';
import { StructureLife1700000000500 } from './migrations/1700000000500-structure-life.js';
import { TimeZones1700000001000 } from './migrations/1700000001000-time-zones.js';
import { TableIndexes1700000000600 } from './migrations/1700000000600-table-indexes.js';
import { Webhooks1700000002400 } from './migrations/1700000002400-webhooks.js';
import { LastGoodAnswers1700000002250 } from './migrations/1700000002250-last-good-answers.js';
import { PublicationVersions1700000002500 } from './migrations/1700000002500-publication-versions.js';
import { StaleWhileRevalidate1700000002510 } from './migrations/1700000002510-stale-while-revalidate.js';
import { AuditChain1700000002600 } from './migrations/1700000002600-audit-chain.js';
import { PublishedRights1700000002800 } from './migrations/1700000002800-published-rights.js';

/** Options of the main database; the server adds the entities of its modules, the migration command needs none. */
export const mainDataSourceOptions = (settings: PostgresSettings) =>
  ({
    type: 'postgres',
    host: settings.host,
    port: settings.port,
    username: settings.username,
    password: settings.password,
    database: settings.database,
    ssl: settings.tls,
    migrations: [
      Foundation1700000000000,
      Accounts1700000000100,
      Idempotency1700000000200,
      AuditIndexes1700000000300,
      StructureLife1700000000500,
      TableIndexes1700000000600,
      DeletedWith1700000000700,
      ColumnConversions1700000000800,
      UniqueIndexes1700000000900,
      TimeZones1700000001000,
      Imports1700000001100,
      Connections1700000001200,
      Views1700000001300,
      Publishing1700000001400,
      TableRules1700000001600,
      WorkspaceStreams1700000001850,
      HistoryDays1700000001990,
      RestingIndexes1700000002000,
      PersonalTokens1700000002100,
      KeyQuotas1700000001950,
      LastGoodAnswers1700000002250,
      PublicationVersions1700000002500,
      StaleWhileRevalidate1700000002510,
      Webhooks1700000002400,
      AuditChain1700000002600,
      PublishedRights1700000002800,
    ],
    migrationsTableName: '_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    applicationName: APPLICATION,
    extra: {
      ...{ max: settings.poolSize, connectionTimeoutMillis: 5_000, statement_timeout: 30_000, query_timeout: 35_000 },
      verify: verifyWritable,
      ...(isTracing() ? { Client: TracedClient } : {}),
    },
  }) satisfies DataSourceOptions;

/** Two nodes that start together migrate one after the other. */
const MIGRATION_LOCK = 7_203_001;

/** Brings the main database to the newest migration. Safe to call from several nodes at once. */
export async function migrateMain(settings: PostgresSettings): Promise<void> {
  await withMigrations(settings, async (source) => {
    await source.runMigrations();
  });
}

/** Undoes the newest migration of the main database. */
export async function revertMain(settings: PostgresSettings): Promise<void> {
  await withMigrations(settings, async (source) => {
    await source.undoLastMigration();
  });
}

async function withMigrations(settings: PostgresSettings, work: (source: DataSource) => Promise<void>): Promise<void> {
  const source = await new DataSource(mainDataSourceOptions(settings)).initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await work(source);
    await lock.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    await lock.release();
    await source.destroy();
  }
}
