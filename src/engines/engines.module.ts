import { Global, Module } from '@nestjs/common';
import { ChangeLog, MiniDbEngine, MiniDbFiles, MiniDbLookup, MiniDbSchema, MiniDbWriter } from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbFiles, ChangeLog],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbLookup, MiniDbSchema, MiniDbFiles, ChangeLog],
})
export class EnginesModule {}
