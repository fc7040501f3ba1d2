import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { WorkspaceLog } from '../../database/main/index.js';
import { ChangeLog, HistoryLog, MiniDbLookup } from '../../engines/index.js';
import type { LiveView } from '../views/index.js';
import type { FollowedTable } from './channel-access.js';
import { SeenSource, TableSource, type ChannelSource, type LookAtRows } from './feed/index.js';
import { tableChannel, viewChannel, workspaceChannel } from './messages/index.js';
import { RowViewSource } from './view/row-view-source.js';
import type { ViewSource } from './view/view-source.js';
import { WholeViewSource } from './view/whole-view-source.js';
import { WorkspaceSource } from './workspace/workspace-source.js';

/** What the numbered channels hand on. */
@Injectable()
export class ChannelSources {
  constructor(
    readonly log: ChangeLog,
    readonly workspaceLog: WorkspaceLog,
    private readonly history: HistoryLog,
    private readonly lookup: MiniDbLookup,
  ) {}

  /**
   * A table, or what somebody sees of it.
   * @param schemaChanged as {@link TableSource} has it
   */
  table(table: FollowedTable, schemaChanged: () => Promise<void>): ChannelSource {
    const channel = tableChannel(table.id);
    if (table.sight === undefined) return new TableSource(this.log, table, channel, schemaChanged);
    const look: LookAtRows = (...asked) => this.lookup.seenRows(...asked);
    return new SeenSource(this.log, table, channel, schemaChanged, table.asSeen, look);
  }

  /** @param somebodyLeft as {@link WorkspaceSource} has it */
  workspace(workspaceId: Id, somebodyLeft: () => Promise<void>): ChannelSource {
    return new WorkspaceSource(this.workspaceLog, workspaceId, workspaceChannel(workspaceId), somebodyLeft);
  }

  /** @param outdated as {@link ViewSource} has it */
  view(view: LiveView, outdated: () => void): ViewSource {
    const channel = viewChannel(view.id);
    if (!view.rows) return new WholeViewSource(view, this.log, channel, outdated);
    const { log, history, lookup } = this;
    return new RowViewSource(view, view.rows, { log, history, lookup }, channel, outdated);
  }
}
