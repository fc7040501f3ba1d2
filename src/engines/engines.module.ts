import { Global, Module } from '@nestjs/common';
import {
  ChangeLog,
  DriftRecord,
  MiniDbCatalog,
  MiniDbEngine,
  MiniDbLookup,
  MiniDbSchema,
  MiniDbWriter,
} from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbCatalog, ChangeLog, DriftRecord],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbCatalog, ChangeLog, DriftRecord],
})
export class EnginesModule {}
