import type { TableSchema } from '../../../query/index.js';
import type { FeedTable } from './feeds.js';
import { bySeq, FOLLOW_LIMITS, liveEvent, type LiveEvent } from './live-event.js';
import type { LogReader } from './log-reader.js';
import { seenChanges, type LookAtRows } from './seen-changes.js';
import { TableSource } from './table-source.js';

/** The change log of a table as members see it whom rules keep from part of it. */
export class SeenSource extends TableSource {
  /** @param seen what they see of the table now */
  constructor(
    log: LogReader,
    table: FeedTable,
    channel: string,
    schemaChanged: () => Promise<void>,
    private readonly seen: () => Promise<TableSchema>,
    private readonly look: LookAtRows,
  ) {
    super(log, table, channel, schemaChanged);
  }

  override async events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]> {
    const { schema, id } = this.table;
    const changes = await this.log.follow(schema, id, after, limit, { ...FOLLOW_LIMITS, before: true });
    await this.judge(changes);
    const told = await seenChanges(await this.seen(), changes, this.look);
    return bySeq(told).map((each) => liveEvent(this.channel, epoch, each));
  }
}
