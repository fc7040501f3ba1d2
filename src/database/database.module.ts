import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { APP_CONFIG, type AppConfig } from '../config/index.js';
import { DatabaseMetrics } from './database-metrics.js';
import {
  AuditedTransaction,
  AuditLogEntity,
  MainDatabase,
  mainDataSourceOptions,
  Outbox,
  OutboxEntity,
  WorkspaceEventEntity,
  AuditChain,
  WorkspaceLog,
  WorkspaceStreamEntity,
} from './main/index.js';
import { LongSessions, MiniDatabase, MiniMaintenance, RoleReport } from './mini/index.js';
import { isNotYet } from './preflight.js';

/**
 * The two databases, for every module: the main one through TypeORM (entities load with the modules that own them) and
 * the mini-DB, whose rows no ORM touches. Migrations are not run here but before the start (`migrateMain`, `migrateMini`).
 */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [APP_CONFIG],
      useFactory: (config: AppConfig) => ({
        ...mainDataSourceOptions(config.mainDb),
        autoLoadEntities: true,
        // A database that is down at the start is told at once and in one sentence; only one that is slow is asked again.
        retryAttempts: 5,
        retryDelay: 500,
        toRetry: isNotYet,
        verboseRetryLog: false,
      }),
    }),
    TypeOrmModule.forFeature([AuditLogEntity, OutboxEntity, WorkspaceStreamEntity, WorkspaceEventEntity]),
  ],
  providers: [
    MainDatabase,
    AuditedTransaction,
    Outbox,
    AuditChain,
    WorkspaceLog,
    MiniDatabase,
    LongSessions,
    MiniMaintenance,
    RoleReport,
    DatabaseMetrics,
  ],
  exports: [
    MainDatabase,
    AuditedTransaction,
    Outbox,
    AuditChain,
    WorkspaceLog,
    MiniDatabase,
    LongSessions,
    MiniMaintenance,
  ],
})
export class DatabaseModule {}
