import type { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { HeldRows, type LiveRow, type RowChanges } from './held-rows.js';
import type { Schemas } from './openapi.js';
import { Presence } from './presence.js';
import { ApiError, ConnectionError } from './problem.js';
import type { Actor, Control, Numbered, Position, Subscribed } from './protocol.js';

export type TableDescription = Schemas['TableDto'];

/** What happened to the copy: an event that was applied, or the whole read anew (`read`; the first time, too). */
export type LiveChange =
  | ({ readonly kind: 'rows'; readonly seq: number; readonly actor: Actor } & RowChanges)
  | { readonly kind: 'read'; readonly seq: number };

/**
 * `reading` the table, `live`, `behind` while the connection is away (the copy is of the past), or `ended` for good: disposed, signed out, or
 * the right to read is gone.
 */
export type LiveState = 'reading' | 'live' | 'behind' | 'ended';

export interface LiveEvents {
  change: LiveChange;
  state: LiveState;
  ended: Error | undefined;
}

/** One page of the table's rows, and the description of the table: what a live table reads over HTTP. */
export interface LiveReader<Fields> {
  describe(): Promise<TableDescription>;
  page(
    cursor: string | undefined,
    pageSize: number,
  ): Promise<{
    readonly data: readonly LiveRow<Fields>[];
    readonly page: { readonly nextCursor?: string };
    readonly meta: Position;
  }>;
}

export interface LiveOptions {
  /** How many rows are held: the first so many, in the order in which they were made. All of them without it. */
  readonly most?: number;
}

/** Rows of one request. */
const PAGE = 1000;

/** Between attempts, ms: doubled each time. */
const PAUSE = { first: 250, most: 10_000 };

/**
 * A local copy of a table that stays exact: while it is `live` or `behind`, it is the table as it was behind the number {@link seq}.
 *
 * Read the table, subscribe from the number of the first page, apply what is replayed and what comes then; each event has to follow the one
 * before, or the feed begins again from where the copy stands. `reset`, changes too large for an event, and changes of the structure (which
 * change values without telling so row by row) read the table anew. Meanwhile the copy is the old one, whole.
 *
 * Values of lookups, rollups and counts, and formulas over them, are as of the last read of their row: no event of this table tells of them.
 */
export class LiveTable<Fields extends object = Record<string, unknown>> extends Emitter<LiveEvents> {
  readonly presence: Presence;
  private readonly channel: string;
  private readonly ends: (() => void)[];
  private table: TableDescription | undefined;
  private held: HeldRows<Fields> = new HeldRows<Fields>([], 0);
  private position: Position | undefined;
  private now: LiveState = 'reading';
  /** One at a time reads or subscribes; `again` when something asks for it meanwhile. */
  private working = false;
  private again: 'read' | 'subscribe' | undefined;
  private most: number;
  private whole = false;
  private pause = PAUSE.first;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly id: string,
    private readonly connection: Connection,
    private readonly reader: LiveReader<Fields>,
    private readonly left: () => void,
    { most = Infinity }: LiveOptions = {},
  ) {
    super();
    this.most = most;
    this.channel = `table:${id}`;
    this.presence = new Presence(connection, this.channel);
    this.ends = [
      connection.on('up', () => this.want('subscribe')),
      connection.on('down', () => this.down()),
      connection.on('numbered', ({ name, event }) => event.channel === this.channel && this.receive(name, event)),
      connection.on('control', (control) => control.channel === this.channel && this.obey(control)),
      connection.on(
        'people',
        ({ name, event }) => event.channel === this.channel && this.presence.receive(name, event),
      ),
      connection.on('ended', (error) => this.end(error)),
    ];
    connection.open();
    if (connection.connected) this.want('read');
  }

  get rows(): ReadonlyMap<string, LiveRow<Fields>> {
    return this.held.view;
  }

  /** Name, columns and so on; undefined before the first read. */
  get description(): TableDescription | undefined {
    return this.table;
  }

  /** The last change that the copy has. */
  get seq(): number {
    return this.position?.seq ?? 0;
  }

  get state(): LiveState {
    return this.now;
  }

  /** Whether the copy is the whole table, or the table goes on behind its last row. */
  get complete(): boolean {
    return this.whole;
  }

  /** Holds so many rows more, from the next read on, which begins at once. */
  extend(rows: number): void {
    this.most += rows;
    this.want('read');
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
        if (this.now === 'ended') done(() => reject(new Error('The live table has ended.')));
        else if (this.now === 'live' && this.seq >= seq) done(resolve);
      };
      ends.push(
        this.on('change', check),
        this.on('state', check),
        this.on('ended', (error) => done(() => reject(error ?? new Error('The live table was disposed.')))),
      );
      check();
    });
  }

  /** The changes from now on, one by one, as long as the table lives; those that are not taken yet wait. Throws what ends it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LiveChange, void, undefined> {
    const waiting: LiveChange[] = [];
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
        for (let next = waiting.shift(); next; next = waiting.shift()) yield next;
        if (ended) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (ended.error) throw ended.error;
    } finally {
      for (const end of ends) end();
    }
  }

  /** Reads the table anew: for values that no event tells of. */
  refresh(): void {
    this.want('read');
  }

  /** Follows the table no longer. The copy stays as it is. */
  dispose(): void {
    this.end(undefined);
  }

  private receive(name: 'data:update' | 'schema:update', event: Numbered): void {
    const at = this.position;
    if (this.now === 'ended' || !at) return;
    if (event.epoch !== at.epoch) this.want('read');
    else if (event.seq <= at.seq) return;
    // Not the next one: begin again from here, and let that which is missing come before it.
    else if (event.prev !== at.seq) this.want('subscribe');
    else if (name === 'schema:update' || event.invalidated) this.want('read');
    else this.apply(event, at);
  }

  /** Takes the number only when what it did is in the copy; otherwise the feed would go on from there after a failed read. */
  private apply(event: Numbered, { epoch }: Position): void {
    const changes = this.held.apply(event);
    if (changes === 'lost') {
      this.want('read');
      return;
    }
    this.position = { epoch, seq: event.seq };
    this.emit('change', { kind: 'rows', seq: event.seq, actor: event.actor, ...changes });
  }

  private obey(control: Control): void {
    if (control.type === 'reset') this.want('read');
    else if (control.type === 'revoked') this.end(new Error('The table cannot be read any more.'));
    else if (!this.working && !this.again) this.becomeLive();
  }

  private down(): void {
    this.presence.clear();
    if (this.now === 'live') this.become('behind');
  }

  /** Asks for a read, or for a subscription from where the copy stands; both come one after the other, and a read outweighs. */
  private want(what: 'read' | 'subscribe'): void {
    if (this.now === 'ended') return;
    this.again = what === 'read' || this.again === 'read' ? 'read' : 'subscribe';
    if (!this.working) void this.work();
  }

  private async work(): Promise<void> {
    this.working = true;
    try {
      while (this.again && this.connection.connected) {
        const what = this.again;
        this.again = undefined;
        if (what === 'read' || !this.position) await this.read();
        if (!this.readAgain()) await this.subscribe();
      }
      this.pause = PAUSE.first;
    } catch (error) {
      this.failed(error);
    } finally {
      this.working = false;
    }
  }

  private async read(): Promise<void> {
    this.become('reading');
    const table = await this.reader.describe();
    const rows: LiveRow<Fields>[] = [];
    let first: Position | undefined;
    let cursor: string | undefined;
    let horizon: number;
    do {
      const { data, page, meta } = await this.reader.page(cursor, Math.min(PAGE, this.most - rows.length));
      first ??= meta;
      // The numbers began anew between two pages: they are not of one table.
      if (meta.epoch !== first.epoch) {
        this.want('read');
        return;
      }
      for (const row of data) rows.push(row);
      horizon = meta.seq;
      cursor = page.nextCursor;
    } while (cursor !== undefined && rows.length < this.most && this.state !== 'ended');
    if (this.state === 'ended') return;
    this.table = table;
    this.whole = cursor === undefined;
    this.held = new HeldRows(rows, horizon, this.whole ? undefined : rows.at(-1)?.id);
    this.position = { epoch: first.epoch, seq: first.seq };
    this.emit('change', { kind: 'read', seq: first.seq });
  }

  /** Whether the copy has to be read once more; what else was wanted while it was read comes now anyway. */
  private readAgain(): boolean {
    if (this.again !== 'read') this.again = undefined;
    return this.again === 'read';
  }

  private async subscribe(): Promise<void> {
    if (!this.position) return;
    const { epoch, seq } = this.position;
    const answer = await this.connection.ask<Subscribed>('subscribe', { channel: this.channel, from: { epoch, seq } });
    if (this.state === 'ended') return;
    if (answer.mode === 'reset') {
      this.want('read');
      return;
    }
    // Whoever is away again tells when he is back.
    this.presence.renew().catch(() => undefined);
    // What is replayed follows the answer, and `up_to_date` follows that; both may have come already.
    if (!this.again && this.seq >= answer.seq) this.becomeLive();
  }

  /** A server that is away or busy is asked later, longer each time. What time does not mend ends the copy. */
  private failed(error: unknown): void {
    const passes =
      error instanceof ConnectionError || (error instanceof ApiError && (error.status >= 500 || error.status === 429));
    if (!passes) {
      this.end(error instanceof Error ? error : new Error('The table cannot be followed.', { cause: error }));
      return;
    }
    const what = this.now === 'reading' || this.again === 'read' ? 'read' : 'subscribe';
    this.again = what;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.want(what), this.pause);
    this.pause = Math.min(this.pause * 2, PAUSE.most);
  }

  private becomeLive(): void {
    if (this.connection.connected) this.become('live');
  }

  private become(state: LiveState): void {
    if (this.now === state || this.now === 'ended') return;
    this.now = state;
    this.emit('state', state);
  }

  private end(error: Error | undefined): void {
    if (this.now === 'ended') return;
    clearTimeout(this.timer);
    for (const end of this.ends) end();
    this.become('ended');
    this.presence.clear();
    this.emit('ended', error);
    this.left();
  }
}
