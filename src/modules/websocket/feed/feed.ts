import { inTrace, noteInSpan } from '../../../common/index.js';
import type { ResetReason } from '../messages/index.js';
import type { Gate } from './gate.js';
import type { LiveEvent } from './live-event.js';

/** Where a numbered stream stands. */
export interface FeedHead {
  readonly epoch: string;
  readonly seq: number;
  /** Of the table; a workspace has none. */
  readonly schemaVersion?: number;
}

/** A numbered stream of events that can be read again: what a feed hands on. */
export interface FeedSource {
  /** Rejects when nobody can tell. */
  head(): Promise<FeedHead>;
  /** What comes behind a number, in order, one event for each of at most `limit` numbers. Rejects when it cannot be read. */
  events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]>;
  /** What it knows of the past: all that happened, whether something did, or nothing. Without the first, whoever missed something reads again. */
  readonly recall: 'all' | 'heads' | 'nothing';
}

/** How many seqs one read of the log asks for. */
export const READ_SEQS = 50;
/** A client that is further behind reads the table again; that is cheaper for both. */
export const MAX_REPLAY_SEQS = 1_000;
export const MAX_REPLAY_BYTES = 4 * 1024 * 1024;

export interface FeedPosition {
  readonly epoch: string;
  readonly seq: number;
}

/** The sockets of this node that follow the table. Both calls are synchronous: what they send is queued when they return. */
export interface FeedRoom {
  /** Its name, as it stands in every event. */
  readonly channel: string;
  /** Tells all who follow, in this order. */
  broadcast(events: readonly LiveEvent[]): void;
  /** Tells everybody in the room to read the table again, and empties the room. */
  reset(reason: ResetReason, head: FeedHead): void;
}

/** How a subscriber comes in: `live` has missed nothing, `replay` gets `events` first. `seq` is the last one it then has. */
export interface Admission {
  readonly mode: 'live' | 'replay';
  readonly epoch: string;
  readonly seq: number;
  readonly schemaVersion?: number;
  readonly events: readonly LiveEvent[];
}

/** Why a subscriber cannot continue from where it was, and where the table is now. */
export interface Refusal extends FeedPosition {
  readonly mode: 'reset';
  readonly reason: ResetReason;
  readonly schemaVersion?: number;
}

/**
 * The live feed of one channel on this node: its source is read once, whatever the number of sockets.
 *
 * It holds a position: every seq up to it has been broadcast to the room, every later one will be, in order and without a
 * gap. The position moves together with the broadcast, in one synchronous step, so that a socket that joins the room
 * between two steps and knows the position knows exactly what it has and what it will get.
 */
export class Feed {
  private head: FeedHead | undefined;
  private opening: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  /** The highest seq that anybody spoke of; may be wrong. */
  private goal = 0;
  /** The highest seq that was read from the log's head; never wrong while the epoch lasts. */
  private committed = 0;
  /** How often somebody said that there may be more. */
  private wakes = 0;
  /** The log may have been replaced: ask for the head before reading on. */
  private suspect = false;
  private ended = false;

  constructor(
    private readonly source: FeedSource,
    readonly room: FeedRoom,
    /** Through which replays read: many clients that come back at once must not take all connections of the pool. */
    private readonly replays: Gate,
  ) {}

  /** Finds the head of the log, once; nobody may join before. Rejects when the log cannot be read. */
  open(): Promise<void> {
    this.opening ??= this.source.head().then(
      (head) => {
        this.head = head;
        // A hint may have come while the head was on its way.
        this.hint(this.goal);
      },
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      },
    );
    return this.opening;
  }

  /** Somebody says that the log reached `seq`. Returns at once; a wrong number costs one empty read. */
  hint(seq: number): void {
    this.goal = Math.max(this.goal, seq);
    if (this.head && this.goal > this.head.seq) this.run().catch(() => undefined); // the next poll tries again
  }

  /** Nobody uses it any more: what it is about to read is told to nobody, for the room may be another feed's by then. */
  end(): void {
    this.ended = true;
  }

  /** Where the room is; undefined while nobody was let in yet. */
  get position(): FeedPosition | undefined {
    return this.head;
  }

  /** Changes that the log is said to hold and nobody here was sent yet. */
  get lag(): number {
    return this.head ? Math.max(0, Math.max(this.goal, this.committed) - this.head.seq) : 0;
  }

  /** Something was added, or may have been; nobody says how far the log is. */
  wake(): void {
    this.wakes += 1;
    if (this.head) this.run().catch(() => undefined); // the next poll tries again
  }

  /** The head as a poll found it. */
  observe(head: FeedHead): void {
    if (!this.head) return;
    if (head.epoch !== this.head.epoch) this.verify().catch(() => undefined);
    else {
      this.committed = Math.max(this.committed, head.seq);
      this.hint(head.seq);
    }
  }

  /**
   * Lets a subscriber in. `admit` is called in the very step in which the position is known to be where the replay ends:
   * it must put the socket into the room and send the replay without waiting for anything. Instead of that, a refusal is
   * returned when the subscriber must read the table again. Rejects when the log cannot be read.
   */
  async join(from: FeedPosition | undefined, admit: (admission: Admission) => void): Promise<Refusal | undefined> {
    await this.open();
    if (!from) {
      admit(this.admission('live', []));
      return undefined;
    }
    // The client may know more than this node: it read the table elsewhere a moment ago.
    if (from.epoch !== this.current.epoch) await this.verify();
    else if (from.seq > this.current.seq) await this.catchUp(from.seq);
    if (from.epoch !== this.current.epoch) return this.refusal('epoch_changed');
    if (from.seq > this.current.seq) return this.refusal('ahead');
    return this.replay(from, admit);
  }

  private async replay(from: FeedPosition, admit: (admission: Admission) => void): Promise<Refusal | undefined> {
    if (!this.recalls(from)) return this.refusal('changes_gone');
    const events: LiveEvent[] = [];
    let cursor = from.seq;
    let bytes = 0;
    // The position moves on while we read; each turn looks at where it is now.
    while (cursor < this.current.seq) {
      if (this.current.seq - from.seq > MAX_REPLAY_SEQS) return this.refusal('too_far');
      const after = cursor;
      const missed = await this.replays.run(() => this.read(after, READ_SEQS));
      if (from.epoch !== this.current.epoch) return this.refusal('epoch_changed');
      if (missed.length === 0) return this.refusal('changes_gone');
      for (const event of missed) {
        // What lies beyond the position will be broadcast to the room; to replay it, too, would put it out of order.
        if (cursor === this.current.seq) break;
        if (event.payload.seq !== cursor + 1) return this.refusal('changes_gone');
        bytes += event.bytes;
        if (bytes > MAX_REPLAY_BYTES) return this.refusal('too_far');
        events.push(event);
        cursor += 1;
      }
    }
    if (cursor > this.current.seq) return this.refusal('ahead');
    admit(this.admission(events.length > 0 ? 'replay' : 'live', events));
    return undefined;
  }

  private recalls({ seq }: FeedPosition): boolean {
    const { recall } = this.source;
    return recall === 'all' || (recall === 'heads' && seq === this.current.seq);
  }

  private catchUp(seq: number): Promise<void> {
    this.goal = Math.max(this.goal, seq);
    return this.run();
  }

  private verify(): Promise<void> {
    this.suspect = true;
    return this.run();
  }

  /** Brings the position up to the log. One run at a time; whoever asks meanwhile is served by it. */
  private run(): Promise<void> {
    this.running ??= inTrace('live.fan-out', { 'live_tables.channel': this.room.channel }, () => this.pull());
    return this.running;
  }

  private async pull(): Promise<void> {
    try {
      for (;;) {
        if (this.suspect) await this.check();
        if (this.ended) break;
        const { goal, wakes } = this;
        const full = await this.step();
        const hinted = (this.goal > goal && this.goal > this.current.seq) || this.wakes > wakes;
        // Nothing more to read, and yet the head was seen further on: the changes between are gone.
        if (!full && !hinted && this.committed > this.current.seq) this.suspect = true;
        // From here to `finally` nothing is awaited, so no hint falls between the decision to end and the end.
        if (!full && !hinted && !this.suspect) break;
      }
      // A read that began after the last hint found nothing more: the hint was wrong, or of another epoch.
      this.goal = this.current.seq;
    } finally {
      this.running = undefined;
    }
  }

  /** One read of the log, broadcast; whether it came back full, so that there may be more. */
  private async step(): Promise<boolean> {
    const events = await this.read(this.current.seq, READ_SEQS);
    if (this.suspect || this.ended) return false;
    noteInSpan(() => ({ 'live_tables.seq': this.current.seq + events.length, 'live_tables.events': events.length }));
    let head = this.current;
    const next: LiveEvent[] = [];
    for (const event of events) {
      const { payload } = event;
      if (payload.prev !== head.seq) {
        // Not the next number: what came between is gone, or this is another log.
        this.suspect = true;
        break;
      }
      next.push(event);
      const { seq } = payload;
      head = { ...head, seq, ...('schemaVersion' in payload ? { schemaVersion: payload.schemaVersion } : {}) };
    }
    this.room.broadcast(next);
    this.head = head;
    return !this.suspect && events.length >= READ_SEQS;
  }

  /** Compares with the true head. When the log cannot be continued from the position, the room is reset to the head. */
  private async check(): Promise<void> {
    this.suspect = false;
    try {
      const head = await this.source.head();
      this.committed = head.seq;
      if (head.epoch !== this.current.epoch) this.restart('epoch_changed', head);
      else if (await this.broken(head)) this.restart('changes_gone', head);
    } catch (error) {
      this.suspect = true;
      throw error;
    }
  }

  private async broken(head: FeedHead): Promise<boolean> {
    if (head.seq < this.current.seq) return true;
    if (head.seq === this.current.seq) return false;
    const [next] = await this.read(this.current.seq, 1);
    return next?.payload.prev !== this.current.seq;
  }

  private restart(reason: ResetReason, head: FeedHead): void {
    if (this.ended) return;
    this.head = head;
    this.room.reset(reason, head);
  }

  private get current(): FeedHead {
    if (!this.head) throw new Error('The feed is used before open().');
    return this.head;
  }

  private read(after: number, limit: number): Promise<readonly LiveEvent[]> {
    return this.source.events(this.current.epoch, after, limit);
  }

  private admission(mode: Admission['mode'], events: readonly LiveEvent[]): Admission {
    return { mode, ...this.current, events };
  }

  private refusal(reason: ResetReason): Refusal {
    return { mode: 'reset', ...this.current, reason };
  }
}
