import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditLogEntity } from '../../database/main/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { PublishingModule } from '../publishing/index.js';
import { TablesModule } from '../tables/index.js';
import { AuditChainService } from './audit-chain.service.js';
import { ViewsModule } from '../views/index.js';
import { WebhooksModule } from '../webhooks/index.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { MetadataRevertController } from './revert/metadata-revert.controller.js';
import { MetadataRevert } from './revert/metadata-revert.service.js';
import { AuditController } from './audit.controller.js';
import { AuditExport } from './audit-export.service.js';
import { AuditService } from './audit.service.js';
import { MetadataEntries } from './metadata-entries.js';
import { RowEntries } from './row-entries.js';

/** The audit log over the API. It is written where the change is: by `AuditedTransaction`, and by the write path of rows. */
@Module({
  imports: [
    TypeOrmModule.forFeature([AuditLogEntity]),
    ...[ConnectionsModule, PublishingModule, TablesModule, ViewsModule, WebhooksModule, WorkspacesModule],
  ],
  controllers: [AuditController, MetadataRevertController],
  providers: [AuditService, AuditChainService, AuditExport, MetadataEntries, MetadataRevert, RowEntries],
})
export class AuditModule {}
