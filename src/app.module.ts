import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, type AppConfig } from './config/index.js';
import { DatabaseModule } from './database/database.module.js';
import { AuthModule } from './modules/auth/index.js';
import { EventsModule } from './modules/events/index.js';
import { UsersModule } from './modules/users/index.js';
import { WorkspacesModule } from './modules/workspaces/index.js';

/** The composition root: every module of the product, and nothing else. */
@Module({})
export class AppModule {
  static register(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.register(config), DatabaseModule, EventsModule, UsersModule, AuthModule, WorkspacesModule],
    };
  }
}
