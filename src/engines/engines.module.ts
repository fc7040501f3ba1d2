import { Global, Module } from '@nestjs/common';
import {
  ChangeLog,
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
  MiniDbWriter,
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
    MiniDbImport,
    MiniDbIndexes,
    ChangeLog,
    DriftRecord,
    ImportMarks,
    KeptWrites,
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
    MiniDbImport,
    MiniDbIndexes,
    ChangeLog,
    DriftRecord,
    ImportMarks,
    KeptWrites,
  ],
})
export class EnginesModule {}
