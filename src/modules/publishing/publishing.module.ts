import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/index.js';
import { TablesModule } from '../tables/index.js';
import { ViewsModule } from '../views/index.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { ApiKeysController } from './keys/api-keys.controller.js';
import { ApiKeysService } from './keys/api-keys.service.js';
import { ApiKeyEntity } from './keys/api-key.entity.js';
import { Quotas } from './keys/quotas.js';
import { Admission } from './public/admission.js';
import { Heads } from './public/heads.js';
import { PageStreams } from './public/page-streams.js';
import { PublicDataController, PublicVersionDataController } from './public/public-data.controller.js';
import { PublicDataService } from './public/public-data.service.js';
import { PublicPageController, PublicVersionPageController } from './public/public-page.controller.js';
import { PublicReader } from './public/public-reader.service.js';
import { PublicationGuard } from './public/publication.guard.js';
import { Publications } from './public/publications.js';
import { ReadyAnswers } from './public/ready-answers.js';
import { SharedAnswers } from './public/shared-answers.js';
import { Wishes } from './public/wishes.js';
import { ApiVersionsController } from './settings/api-versions.controller.js';
import { ApiVersionsService } from './settings/api-versions.service.js';
import { FormerVersionEntity } from './settings/former-version.entity.js';
import { RevertiblePublications } from './settings/revertible-publications.js';
import { ViewApiController } from './settings/view-api.controller.js';
import { ViewApiEntity } from './settings/view-api.entity.js';
import { ViewApisService } from './settings/view-apis.service.js';
import { CallCounter } from './usage/call-counter.js';
import { PublishingMetrics } from './usage/publishing-metrics.js';
import { UsageController } from './usage/usage.controller.js';
import { UsageLog } from './usage/usage-log.js';
import { UsageService } from './usage/usage.service.js';

/** Views as read-only APIs for the world. */
@Module({
  imports: [
    AuthModule,
    WorkspacesModule,
    TablesModule,
    ViewsModule,
    TypeOrmModule.forFeature([ViewApiEntity, FormerVersionEntity, ApiKeyEntity]),
  ],
  controllers: [
    ...[ViewApiController, ApiVersionsController, ApiKeysController, UsageController],
    ...[PublicDataController, PublicPageController, PublicVersionDataController, PublicVersionPageController],
  ],
  providers: [
    ViewApisService,
    RevertiblePublications,
    ApiVersionsService,
    ApiKeysService,
    Quotas,
    ...[
      Publications,
      Admission,
      Wishes,
      PublicationGuard,
      Heads,
      SharedAnswers,
      ReadyAnswers,
      PublicReader,
      PublicDataService,
      PageStreams,
    ],
    ...[UsageLog, CallCounter, UsageService, PublishingMetrics],
  ],
  exports: [RevertiblePublications],
})
export class PublishingModule {}
