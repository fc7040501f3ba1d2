import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, type AppConfig } from './config/index.js';
import { DatabaseModule } from './database/database.module.js';
import { EventsModule } from './modules/events/index.js';

/** The composition root: every module of the product, and nothing else. */
@Module({})
export class AppModule {
  static register(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.register(config), DatabaseModule, EventsModule],
    };
  }
}
