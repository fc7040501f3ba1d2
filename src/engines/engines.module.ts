import { Global, Module } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '../config/index.js';
import { ENGINE_FACTORIES, ExternalEngines } from './external/index.js';
import { EngineMetrics } from './engine-metrics.js';
import {
  ChangeLog,
  HistoryLog,
  DriftRecord,
  ImportMarks,
  KeptWrites,
  MiniDbCatalog,
  MiniDbEngine,
  MiniDbExport,
  MiniDbFiles,
  MiniDbImport,
  MiniDbIndexes,
  MiniDbLookup,
  MiniDbPurge,
  MiniDbSchema,
  MiniDbUpkeep,
  MiniDbViews,
  MiniDbWriter,
  TimedChanges,
} from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [
    MiniDbEngine,
    MiniDbExport,
    MiniDbFiles,
    MiniDbWriter,
    MiniDbLookup,
    MiniDbPurge,
    MiniDbSchema,
    MiniDbCatalog,
    MiniDbUpkeep,
    MiniDbViews,
    MiniDbImport,
    MiniDbIndexes,
    ChangeLog,
    HistoryLog,
    DriftRecord,
    ImportMarks,
    KeptWrites,
    EngineMetrics,
    TimedChanges,
    {
      provide: ExternalEngines,
      inject: [APP_CONFIG],
      useFactory: (config: AppConfig) => new ExternalEngines(config, ENGINE_FACTORIES),
    },
  ],
  exports: [
    MiniDbEngine,
    MiniDbExport,
    MiniDbFiles,
    MiniDbWriter,
    MiniDbLookup,
    MiniDbPurge,
    MiniDbSchema,
    MiniDbCatalog,
    MiniDbUpkeep,
    MiniDbViews,
    MiniDbImport,
    MiniDbIndexes,
    ChangeLog,
    HistoryLog,
    DriftRecord,
    ImportMarks,
    KeptWrites,
    TimedChanges,
    ExternalEngines,
  ],
})
export class EnginesModule {}
