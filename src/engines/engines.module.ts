import { Global, Module } from '@nestjs/common';
import { ChangeLog, MiniDbEngine, MiniDbIndexes, MiniDbLookup, MiniDbSchema, MiniDbWriter } from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbIndexes, ChangeLog],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbIndexes, ChangeLog],
})
export class EnginesModule {}
