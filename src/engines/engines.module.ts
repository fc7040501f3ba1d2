import { Global, Module } from '@nestjs/common';
import { ChangeLog, MiniDbEngine, MiniDbLookup, MiniDbSchema, MiniDbWriter } from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, ChangeLog],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, ChangeLog],
})
export class EnginesModule {}
