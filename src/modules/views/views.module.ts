import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections/index.js';
import { TablesModule } from '../tables/index.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { Ways } from './read/execution/ways.js';
import { ViewPreviewController } from './read/view-preview.controller.js';
import { ViewReader } from './read/view-reader.service.js';
import { ViewSources } from './read/view-sources.service.js';

/** Stored questions over tables and external databases. */
@Module({
  imports: [WorkspacesModule, TablesModule, ConnectionsModule],
  controllers: [ViewPreviewController],
  providers: [ViewSources, ViewReader, Ways],
  exports: [ViewReader],
})
export class ViewsModule {}
