import type { Id } from '../../../common/index.js';
import { Feed, type FeedHead, type FeedRoom, type FeedSource } from './feed.js';
import { Gate } from './gate.js';
import type { LogReader, StreamHead } from './log-reader.js';

/** Replays that read the log at once, on this node. */
const REPLAYS_AT_ONCE = 4;

/** Where the log of a table is. */
export interface FeedTable {
  readonly id: Id;
  readonly schema: string;
}

/** What a channel hands on, and whose logs it is made of. */
export interface ChannelSource extends FeedSource {
  readonly tables: readonly FeedTable[];
  /** Where it stands, by where the logs of its tables stand; undefined where that cannot be told. */
  headOf(heads: ReadonlyMap<Id, StreamHead>): FeedHead | undefined;
}

interface Entry {
  readonly feed: Feed;
  readonly source: ChannelSource;
  users: number;
}

/** The feeds of the channels that somebody on this node follows; a feed lives as long as it is used. */
export class Feeds {
  private readonly entries = new Map<string, Entry>();
  private readonly byTable = new Map<Id, Set<Entry>>();
  private readonly replays = new Gate(REPLAYS_AT_ONCE);
  private polling = false;

  constructor(
    private readonly log: Pick<LogReader, 'heads'>,
    private readonly room: (channel: string) => FeedRoom,
  ) {}

  /** The feed of a channel, for one more user, who must {@link release} it. */
  acquire(channel: string, sourceOf: () => ChannelSource): Feed {
    const entry = this.entries.get(channel) ?? this.create(channel, sourceOf());
    entry.users += 1;
    return entry.feed;
  }

  release(feed: Feed): void {
    const { channel } = feed.room;
    const entry = this.entries.get(channel);
    if (entry?.feed !== feed) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.entries.delete(channel);
    feed.end();
    for (const { id } of entry.source.tables) {
      const others = this.byTable.get(id);
      others?.delete(entry);
      if (others?.size === 0) this.byTable.delete(id);
    }
  }

  /** The feed of a channel that somebody follows. */
  of(channel: string): Feed | undefined {
    return this.entries.get(channel)?.feed;
  }

  /** Tables that are followed here, and how many changes the one that is furthest behind is. */
  figures(): { readonly tables: number; readonly lag: number } {
    let lag = 0;
    for (const { feed } of this.entries.values()) lag = Math.max(lag, feed.lag);
    return { tables: this.entries.size, lag };
  }

  /** What a channel that somebody follows hands on. */
  sourceOf(channel: string): ChannelSource | undefined {
    return this.entries.get(channel)?.source;
  }

  sources(): readonly ChannelSource[] {
    return [...this.entries.values()].map(({ source }) => source);
  }

  /** A table's log is said to have reached `seq`. */
  hint(tableId: Id, seq: number): void {
    for (const { feed, source } of this.byTable.get(tableId) ?? []) {
      // Of what is made of several tables the numbers are its own.
      if (source.tables.length === 1) feed.hint(seq);
      else feed.wake();
    }
  }

  /**
   * Looks at the heads of all followed tables, one query per base, in case hints were lost. Does nothing while the poll
   * before is still under way. Rejects when a base cannot be read; the others are served all the same.
   */
  async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      const heads = new Map<Id, StreamHead>();
      const read = async (schema: string, ids: ReadonlySet<Id>): Promise<void> => {
        for (const head of await this.log.heads(schema, [...ids])) heads.set(head.tableId, head);
      };
      const results = await Promise.allSettled([...this.bySchema()].map(([schema, ids]) => read(schema, ids)));
      for (const { feed, source } of this.entries.values()) {
        const head = source.headOf(heads);
        if (head) feed.observe(head);
      }
      for (const result of results) if (result.status === 'rejected') throw result.reason as Error;
    } finally {
      this.polling = false;
    }
  }

  private bySchema(): Map<string, Set<Id>> {
    const schemas = new Map<string, Set<Id>>();
    for (const { source } of this.entries.values())
      for (const { id, schema } of source.tables) schemas.set(schema, (schemas.get(schema) ?? new Set<Id>()).add(id));
    return schemas;
  }

  private create(channel: string, source: ChannelSource): Entry {
    const entry = { feed: new Feed(source, this.room(channel), this.replays), source, users: 0 };
    this.entries.set(channel, entry);
    for (const { id } of source.tables) this.byTable.set(id, (this.byTable.get(id) ?? new Set<Entry>()).add(entry));
    return entry;
  }
}
