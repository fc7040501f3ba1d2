import type { Id } from '../../../common/index.js';
import type { WorkspaceLog } from '../../../database/main/index.js';
import type { ChannelSource, FeedHead, FeedTable, LiveEvent, LogReader, StreamHead } from '../feed/index.js';
import { workspaceEvent } from './workspace-event.js';

/** Heads of workspaces, read as those of tables are: one query for all of them. */
export const workspaceHeads = (log: WorkspaceLog): Pick<LogReader, 'heads'> => ({
  heads: async (_schema, ids) =>
    (await log.heads(ids)).map(({ workspaceId, ...head }) => ({ tableId: workspaceId, schemaVersion: 0, ...head })),
});

/** What happens in a workspace, but to rows: the audit log by its numbers. */
export class WorkspaceSource implements ChannelSource {
  readonly recall = 'all';
  readonly tables: readonly FeedTable[];

  /** @param somebodyLeft is done before a removal is told, so that those who have gone hear nothing of what comes behind it */
  constructor(
    private readonly log: WorkspaceLog,
    private readonly workspaceId: Id,
    private readonly channel: string,
    private readonly somebodyLeft: () => Promise<void>,
  ) {
    this.tables = [{ id: workspaceId, schema: '' }];
  }

  async head(): Promise<FeedHead> {
    const [head] = await this.log.heads([this.workspaceId]);
    if (!head) throw new Error(`There is no stream of workspace ${this.workspaceId}.`);
    return { epoch: head.epoch, seq: head.seq };
  }

  headOf(heads: ReadonlyMap<Id, StreamHead>): FeedHead | undefined {
    const head = heads.get(this.workspaceId);
    return head && { epoch: head.epoch, seq: head.seq };
  }

  async events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]> {
    const found = await this.log.read(this.workspaceId, after, limit);
    if (found.some(({ action }) => action === 'member.removed')) await this.somebodyLeft();
    return found.map((each) => workspaceEvent(this.channel, epoch, each));
  }
}
