import { Global, Module } from '@nestjs/common';
import {
  ChangeLog,
  DriftRecord,
  KeptWrites,
  MiniDbCatalog,
  MiniDbEngine,
  MiniDbFiles,
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
    MiniDbFiles,
    MiniDbWriter,
    MiniDbLookup,
    MiniDbPurge,
    MiniDbSchema,
    MiniDbCatalog,
    MiniDbUpkeep,
    MiniDbIndexes,
    ChangeLog,
    DriftRecord,
    KeptWrites,
  ],
  exports: [
    MiniDbEngine,
    MiniDbFiles,
    MiniDbWriter,
    MiniDbLookup,
    MiniDbPurge,
    MiniDbSchema,
    MiniDbCatalog,
    MiniDbUpkeep,
    MiniDbIndexes,
    ChangeLog,
    DriftRecord,
    KeptWrites,
  ],
})
export class EnginesModule {}
