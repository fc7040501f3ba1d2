import { Module, type DynamicModule } from '@nestjs/common';
import { MetricsModule } from './common/metrics/index.js';
import { ConfigModule, type AppConfig } from './config/index.js';
import { DatabaseModule } from './database/database.module.js';
import { EnginesModule } from './engines/index.js';
import { AuditModule } from './modules/audit/index.js';
import { AuthModule } from './modules/auth/index.js';
import { ConnectionsModule } from './modules/connections/index.js';
import { EventsModule } from './modules/events/index.js';
import { FilesModule } from './modules/files/index.js';
import { PublishingModule } from './modules/publishing/index.js';
import { RowsModule } from './modules/rows/index.js';
import { ViewsModule } from './modules/views/index.js';
import { IdempotencyModule } from './modules/idempotency/index.js';
import { HealthModule } from './modules/health/index.js';
import { TablesModule } from './modules/tables/index.js';
import { UsersModule } from './modules/users/index.js';
import { WebhooksModule } from './modules/webhooks/index.js';
import { WebsocketModule } from './modules/websocket/index.js';
import { WorkspacesModule } from './modules/workspaces/index.js';

/** The composition root: every module of the product, and nothing else. */
@Module({})
export class AppModule {
  static register(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(config),
        MetricsModule,
        DatabaseModule,
        EnginesModule,
        EventsModule,
        UsersModule,
        AuthModule,
        IdempotencyModule,
        WorkspacesModule,
        ConnectionsModule,
        TablesModule,
        FilesModule,
        ViewsModule,
        RowsModule,
        PublishingModule,
        AuditModule,
        WebsocketModule,
        WebhooksModule,
        HealthModule,
      ],
    };
  }
}
