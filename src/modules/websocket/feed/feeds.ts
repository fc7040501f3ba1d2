import type { Id } from '../../../common/index.js';
import { Gate } from './gate.js';
import type { LogReader } from './log-reader.js';
import { TableFeed, type FeedRoom } from './table-feed.js';

/** Replays that read the log at once, on this node. */
const REPLAYS_AT_ONCE = 4;

/** Where the log of a table is. */
export interface FeedTable {
  readonly id: Id;
  readonly schema: string;
}

interface Entry {
  readonly feed: TableFeed;
  users: number;
}

/** The feeds of the tables that somebody on this node follows; a feed lives as long as it is used. */
export class Feeds {
  private readonly entries = new Map<Id, Entry>();
  private readonly replays = new Gate(REPLAYS_AT_ONCE);
  private polling = false;

  constructor(
    private readonly log: LogReader,
    private readonly room: (tableId: Id) => FeedRoom,
  ) {}

  /** The feed of a table, for one more user, who must {@link release} it. */
  acquire(table: FeedTable): TableFeed {
    const entry = this.entries.get(table.id) ?? { feed: this.create(table), users: 0 };
    entry.users += 1;
    this.entries.set(table.id, entry);
    return entry.feed;
  }

  release(feed: TableFeed): void {
    const entry = this.entries.get(feed.tableId);
    if (entry?.feed !== feed) return;
    entry.users -= 1;
    if (entry.users === 0) this.entries.delete(feed.tableId);
  }

  /** Tables that are followed here, and how many changes the one that is furthest behind is. */
  figures(): { readonly tables: number; readonly lag: number } {
    let lag = 0;
    for (const { feed } of this.entries.values()) lag = Math.max(lag, feed.lag);
    return { tables: this.entries.size, lag };
  }

  /** A table's log is said to have reached `seq`. */
  hint(tableId: Id, seq: number): void {
    this.entries.get(tableId)?.feed.hint(seq);
  }

  /**
   * Looks at the heads of all followed tables, one query per base, in case hints were lost. Does nothing while the poll
   * before is still under way. Rejects when a base cannot be read; the others are served all the same.
   */
  async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      const results = await Promise.allSettled([...this.bySchema()].map(([schema, ids]) => this.pollBase(schema, ids)));
      for (const result of results) if (result.status === 'rejected') throw result.reason as Error;
    } finally {
      this.polling = false;
    }
  }

  private async pollBase(schema: string, tableIds: readonly Id[]): Promise<void> {
    for (const head of await this.log.heads(schema, tableIds)) this.entries.get(head.tableId)?.feed.observe(head);
  }

  private bySchema(): Map<string, Id[]> {
    const schemas = new Map<string, Id[]>();
    for (const { feed } of this.entries.values()) {
      const ids = schemas.get(feed.schema);
      if (ids) ids.push(feed.tableId);
      else schemas.set(feed.schema, [feed.tableId]);
    }
    return schemas;
  }

  private create(table: FeedTable): TableFeed {
    return new TableFeed(table.schema, table.id, this.log, this.room(table.id), this.replays);
  }
}
