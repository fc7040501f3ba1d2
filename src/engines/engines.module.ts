import { Global, Module } from '@nestjs/common';
import { ChangeLog, MiniDbEngine, MiniDbLookup, MiniDbPurge, MiniDbSchema, MiniDbWriter } from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbPurge, MiniDbSchema, ChangeLog],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbPurge, MiniDbSchema, ChangeLog],
})
export class EnginesModule {}
