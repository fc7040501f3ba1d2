import type { Id } from '../../../common/index.js';
import type { FeedHead } from './feed.js';
import type { ChannelSource, FeedTable } from './feeds.js';
import { bySeq, FOLLOW_LIMITS, liveEvent, type LiveEvent } from './live-event.js';
import type { Change, LogReader, StreamHead } from './log-reader.js';

/** The change log of a table, as it is. */
export class TableSource implements ChannelSource {
  readonly recall = 'all';
  readonly tables: readonly FeedTable[];

  /** @param schemaChanged is done before a change of the structure is told: rules may be others now, and who follows something else */
  constructor(
    protected readonly log: LogReader,
    protected readonly table: FeedTable,
    protected readonly channel: string,
    private readonly schemaChanged: () => Promise<void>,
  ) {
    this.tables = [table];
  }

  async head(): Promise<FeedHead> {
    const { schema, id } = this.table;
    const [head] = await this.log.heads(schema, [id]);
    if (!head) throw new Error(`The change log has no stream for table ${id}.`);
    return this.headOf(new Map([[id, head]])) ?? head;
  }

  headOf(heads: ReadonlyMap<Id, StreamHead>): FeedHead | undefined {
    const head = heads.get(this.table.id);
    return head && { epoch: head.epoch, seq: head.seq, schemaVersion: head.schemaVersion };
  }

  async events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]> {
    const { schema, id } = this.table;
    const changes = await this.log.follow(schema, id, after, limit, FOLLOW_LIMITS);
    await this.judge(changes);
    return bySeq(changes).map((each) => liveEvent(this.channel, epoch, each));
  }

  protected async judge(changes: readonly Change[]): Promise<void> {
    if (changes.some(({ op }) => op === 'schema')) await this.schemaChanged();
  }
}
