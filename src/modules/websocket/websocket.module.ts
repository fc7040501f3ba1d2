import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { TablesModule } from '../tables/index.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { ChangesController } from './changes/changes.controller.js';
import { ChangesService } from './changes/changes.service.js';
import { ChangeWaits } from './changes/change-waits.js';
import { ViewsModule } from '../views/index.js';
import { Backlog } from './backlog.js';
import { ChannelAccess } from './channel-access.js';
import { ChannelSources } from './channel-sources.js';
import { Connections } from './connections.js';
import { LiveMetrics } from './live-metrics.js';
import { LiveHints } from './live-hints.js';
import { LiveRights } from './live-rights.js';
import { LiveGateway } from './live.gateway.js';
import { CellLocks } from './locks/cell-locks.service.js';
import { SeenCells } from './locks/seen-cells.js';
import { SeenLocks } from './locks/seen-locks.js';
import { MessageRouter } from './message-router.js';
import { Presence } from './presence/presence.service.js';
import { Rooms } from './rooms.js';
import { Subscriptions } from './subscriptions.js';
import { FollowedViews } from './view/followed-views.js';
import { ViewRenewal } from './view/view-renewal.js';

/** Live updates over Socket.IO: who changed what, numbered and without a gap. */
@Module({
  imports: [AuthModule, WorkspacesModule, ConnectionsModule, TablesModule, ViewsModule],
  controllers: [ChangesController],
  providers: [
    LiveGateway,
    MessageRouter,
    Subscriptions,
    Backlog,
    Connections,
    Rooms,
    Presence,
    CellLocks,
    SeenCells,
    SeenLocks,
    ChannelAccess,
    ChannelSources,
    FollowedViews,
    ViewRenewal,
    LiveHints,
    LiveMetrics,
    LiveRights,
    ChangesService,
    ChangeWaits,
  ],
})
export class WebsocketModule {}
