import { Global, Module } from '@nestjs/common';
import { ChangeLog, MiniDbEngine, MiniDbSchema, MiniDbWriter } from './mini-db/index.js';

/** Everything that talks to databases holding rows. */
@Global()
@Module({
  providers: [MiniDbEngine, MiniDbWriter, MiniDbSchema, ChangeLog],
  exports: [MiniDbEngine, MiniDbWriter, MiniDbSchema, ChangeLog],
})
export class EnginesModule {}
