import type { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { Presence } from './presence.js';
import { ApiError, ConnectionError } from './problem.js';
import type { Control, Position, Subscribed, Told, UpdateName } from './protocol.js';

/**
 * `reading` what the channel is about, `live`, `behind` while the connection is away (the copy is of the past), or `ended` for good: disposed,
 * signed out, or the right to read is gone.
 */
export type LiveState = 'reading' | 'live' | 'behind' | 'ended';

export interface LiveEvents<Change> {
  change: Change;
  state: LiveState;
  ended: Error | undefined;
}

/** Between attempts, ms: doubled each time. */
const PAUSE = { first: 250, most: 10_000 };

/**
 * A local copy that follows a channel: it is read, subscribed to from the number that the reading began with, and kept by events, each of which
 * has to follow the one before; otherwise the feed begins again from where the copy stands. `reset` reads anew. Meanwhile the copy is the
 * old one, whole.
 *
 * Who derives from it says how it is read, and what an event does to it; the constructor has to end with {@link begin}.
 */
export abstract class LiveChannel<Change> extends Emitter<LiveEvents<Change>> {
  readonly presence: Presence;
  /** The last number that the copy has. */
  protected position: Position | undefined;
  private readonly ends: (() => void)[];
  private now: LiveState = 'reading';
  /** One at a time reads or subscribes; `again` when something asks for it meanwhile. */
  private working = false;
  private again: 'read' | 'subscribe' | undefined;
  private pause = PAUSE.first;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly id: string,
    readonly channel: string,
    protected readonly connection: Connection,
    private readonly left: () => void,
  ) {
    super();
    this.presence = new Presence(connection, channel);
    this.ends = [
      connection.on('up', () => this.want('subscribe')),
      connection.on('down', () => this.down()),
      connection.on('update', ({ name, event }) => event.channel === channel && this.hear(name, event)),
      connection.on('control', (control) => control.channel === channel && this.obey(control)),
      connection.on('people', ({ name, event }) => event.channel === channel && this.presence.receive(name, event)),
      connection.on('followed', (told) => told.channel === channel && this.begunBy(told.by, told.from)),
      connection.on('ended', (error) => this.end(error)),
    ];
  }

  /** Reads everything into the copy, and gives the number from which the feed has to go on; undefined where it has to be read once more. */
  protected abstract read(): Promise<Position | undefined>;

  /** What an event of the channel does to the copy. */
  protected abstract receive(name: UpdateName, event: Told): void;

  /** The last change that the copy has. */
  get seq(): number {
    return this.position?.seq ?? 0;
  }

  get state(): LiveState {
    return this.now;
  }

  /** Resolves when the copy is live and has at least this number; rejects when it ends. */
  until(seq = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const ends: (() => void)[] = [];
      const done = (settle: () => void) => {
        for (const end of ends) end();
        settle();
      };
      const check = () => {
        if (this.now === 'ended') done(() => reject(new Error('The live copy has ended.')));
        else if (this.now === 'live' && this.seq >= seq) done(resolve);
      };
      ends.push(
        this.on('change', check),
        this.on('state', check),
        this.on('ended', (error) => done(() => reject(error ?? new Error('The live copy was disposed of.')))),
      );
      check();
    });
  }

  /** The changes from now on, one by one, as long as the copy lives; those that are not taken yet wait. Throws what ends it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, undefined> {
    const waiting: Change[] = [];
    let ended: { readonly error: Error | undefined } | undefined =
      this.now === 'ended' ? { error: undefined } : undefined;
    let wake: () => void = () => undefined;
    const ends = [
      this.on('change', (change) => {
        waiting.push(change);
        wake();
      }),
      this.on('ended', (error) => {
        ended = { error };
        wake();
      }),
    ];
    try {
      for (;;) {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
        if (ended) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (ended.error) throw ended.error;
    } finally {
      for (const end of ends) end();
    }
  }

  /** Reads anew: for what no event tells of. */
  refresh(): void {
    this.want('read');
  }

  /** Follows the channel no longer. The copy stays as it is. */
  dispose(): void {
    this.end(undefined);
  }

  protected begin(): void {
    this.connection.open();
    if (this.connection.connected) this.want('read');
  }

  /** Asks for a read, or for a subscription from where the copy stands; both come one after the other, and a read outweighs. */
  protected want(what: 'read' | 'subscribe'): void {
    if (this.now === 'ended') return;
    this.again = what === 'read' || this.again === 'read' ? 'read' : 'subscribe';
    if (!this.working) void this.work();
  }

  /** The same in a while: what asks for it until then is served by one read. The copy is not live any more. */
  protected wantSoon(ms: number): void {
    this.become('reading');
    this.timer ??= setTimeout(() => this.wake('read'), ms);
  }

  /** Whether an event is the next one; one that was seen is passed over, and where one is missing the feed begins again. */
  protected isNext({ epoch, seq, prev }: Position & { readonly prev: number }): boolean {
    const at = this.position;
    if (this.now === 'ended' || !at) return false;
    if (epoch !== at.epoch) this.want('read');
    else if (seq <= at.seq) return false;
    // Begin again from here, and let that which is missing come before it.
    else if (prev !== at.seq) this.want('subscribe');
    else return true;
    return false;
  }

  /** The feed goes on from the copy's number. */
  protected async subscribe(): Promise<void> {
    if (!this.position) return;
    const { epoch, seq } = this.position;
    const answer = await this.connection.follow(this, this.channel, { epoch, seq });
    if (this.state === 'ended') return;
    this.subscribed(answer);
    if (answer.mode === 'reset') {
      this.want('read');
      return;
    }
    this.renewPresence();
    // What is replayed follows the answer, and `up_to_date` follows that; both may have come already.
    if (!this.again && this.position.seq >= answer.seq) this.becomeLive();
  }

  protected subscribed(_answer: Subscribed): void {
    // Some want to know.
  }

  /** Whoever is away again tells when he is back. */
  protected renewPresence(): void {
    this.presence.renew().catch(() => undefined);
  }

  /** Unless something is to be read first. */
  protected becomeLive(): void {
    if (this.connection.connected && this.timer === undefined) this.become('live');
  }

  protected end(error: Error | undefined): void {
    if (this.now === 'ended') return;
    clearTimeout(this.timer);
    for (const end of this.ends) end();
    this.become('ended');
    this.presence.end();
    this.emit('ended', error);
    this.left();
  }

  /** A server that is away or busy is asked later, longer each time. What time does not mend ends the copy. */
  protected failed(error: unknown): void {
    if (!passes(error)) {
      this.end(error instanceof Error ? error : new Error('The channel cannot be followed.', { cause: error }));
      return;
    }
    const what = this.now === 'reading' || this.again === 'read' ? 'read' : 'subscribe';
    this.again = what;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.wake(what), this.pause);
    this.pause = Math.min(this.pause * 2, PAUSE.most);
  }

  private wake(what: 'read' | 'subscribe'): void {
    this.timer = undefined;
    this.want(what);
  }

  private hear(name: UpdateName, event: Told): void {
    if (this.now !== 'ended') this.receive(name, event);
  }

  private obey(control: Control): void {
    if (control.type === 'reset') this.want('read');
    else if (control.type === 'revoked') this.end(new Error('This cannot be read any more.'));
    else if (!this.working && !this.again) this.becomeLive();
  }

  /** Another copy of this window began the channel's feed anew, from a number that this one has not come to perhaps. */
  private begunBy(by: unknown, from: Position | undefined): void {
    const at = this.position;
    if (by === this || !at) return;
    const isBeforeMine = from?.epoch === at.epoch && from.seq <= at.seq;
    if (!isBeforeMine) this.want('subscribe');
  }

  private down(): void {
    this.presence.clear();
    if (this.now === 'live') this.become('behind');
  }

  private async work(): Promise<void> {
    this.working = true;
    try {
      while (this.again && this.connection.connected) {
        const what = this.again;
        this.again = undefined;
        if (what === 'read' || !this.position) await this.readAll();
        if (!this.readAgain()) await this.subscribe();
      }
      this.pause = PAUSE.first;
    } catch (error) {
      this.failed(error);
    } finally {
      this.working = false;
    }
  }

  private async readAll(): Promise<void> {
    this.become('reading');
    clearTimeout(this.timer);
    this.timer = undefined;
    const from = await this.read();
    if (this.state === 'ended') return;
    if (from) this.position = from;
    else this.want('read');
  }

  /** Whether the copy has to be read once more; what else was wanted while it was read comes now anyway. */
  private readAgain(): boolean {
    if (this.again !== 'read') this.again = undefined;
    return this.again === 'read';
  }

  private become(state: LiveState): void {
    if (this.now === state || this.now === 'ended') return;
    this.now = state;
    this.emit('state', state);
  }
}

/** The server is away or busy, or what is followed is being changed just now. */
const passes = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof ApiError && (error.status >= 500 || error.status === 429 || error.code === 'conflict'));
