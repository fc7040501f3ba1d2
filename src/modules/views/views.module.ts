import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { TablesModule, ViewsOfBases } from '../tables/index.js';
import { ResourceRegistry, WorkspacesModule } from '../workspaces/index.js';
import { Ways } from './read/execution/ways.js';
import { ExternalLimitGuard } from './read/external-limit.guard.js';
import { FrozenViews } from './read/frozen-views.service.js';
import { LiveViews } from './read/live-views.service.js';
import { StoredViews } from './read/stored-views.service.js';
import { ViewDataController } from './read/view-data.controller.js';
import { ViewPreviewController } from './read/view-preview.controller.js';
import { ViewReader } from './read/view-reader.service.js';
import { ViewSources } from './read/view-sources.service.js';
import { ViewCatalog } from './stored/view-catalog.js';
import { ViewEntity } from './stored/view.entity.js';
import { ViewFit } from './stored/view-fit.js';
import { ViewLife } from './stored/view-life.service.js';
import { ViewUpkeep } from './stored/view-upkeep.js';
import { ViewVersionEntity } from './stored/view-version.entity.js';
import { ViewsWithBases } from './stored/views-with-bases.js';
import { ViewsService } from './stored/views.service.js';
import { RevertibleViews } from './revertible-views.js';
import { ViewVersionsController } from './view-versions.controller.js';
import { ViewsController } from './views.controller.js';

/** Stored questions over tables and external databases. */
@Module({
  imports: [
    AuthModule,
    WorkspacesModule,
    TablesModule,
    ConnectionsModule,
    TypeOrmModule.forFeature([ViewEntity, ViewVersionEntity]),
  ],
  controllers: [ViewsController, ViewVersionsController, ViewPreviewController, ViewDataController],
  providers: [
    ...[ViewSources, ViewReader, Ways, ExternalLimitGuard],
    ...[ViewCatalog, ViewFit, ViewsService, ViewLife, ViewUpkeep, ViewsWithBases, StoredViews, FrozenViews, LiveViews],
    RevertibleViews,
  ],
  exports: [ViewReader, ViewCatalog, FrozenViews, LiveViews, RevertibleViews],
})
export class ViewsModule {
  constructor(registry: ResourceRegistry, catalog: ViewCatalog, bases: ViewsOfBases, keeper: ViewsWithBases) {
    bases.keptBy(keeper);
    registry.register('viewId', (id, userId) => catalog.workspaceOf(id, userId));
    registry.register('trashedViewId', (id, userId) => catalog.workspaceOfTrashed(id, userId));
  }
}
