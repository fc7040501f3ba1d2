import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ViewsModule } from '../views/index.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { ViewApiController } from './settings/view-api.controller.js';
import { ViewApiEntity } from './settings/view-api.entity.js';
import { ViewApisService } from './settings/view-apis.service.js';

/** Views as read-only APIs for the world. */
@Module({
  imports: [WorkspacesModule, ViewsModule, TypeOrmModule.forFeature([ViewApiEntity])],
  controllers: [ViewApiController],
  providers: [ViewApisService],
})
export class PublishingModule {}
