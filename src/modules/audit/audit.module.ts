import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditLogEntity } from '../../database/main/index.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { MetadataEntries } from './metadata-entries.js';

/** The audit log over the API. It is written where the change is: by `AuditedTransaction`. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditLogEntity])],
  controllers: [AuditController],
  providers: [AuditService, MetadataEntries],
})
export class AuditModule {}
