import type { Connection } from './connection.js';
import { HeldView, keepingOf, viewRow, type ViewChanges, type ViewRow } from './held-view.js';
import { LiveChannel } from './live-channel.js';
import type { Schemas } from './openapi.js';
import type { Actor, Position, Subscribed, Told, UpdateName, ViewNumbered } from './protocol.js';

export type ViewDescription = Schemas['ViewDto'];

/** What happened to the copy: rows changed by an event, the whole read anew (the first time, too), or another name or description. */
export type LiveViewChange =
  | ({ readonly kind: 'rows'; readonly seq: number; readonly actor: Actor | undefined } & ViewChanges)
  | { readonly kind: 'read'; readonly seq: number }
  | { readonly kind: 'described'; readonly seq: number };

/** What a live view reads over HTTP. */
export interface ViewReader {
  describe(): Promise<ViewDescription>;
  page(
    cursor: string | undefined,
    pageSize: number,
  ): Promise<{ readonly data: readonly Schemas['SourceRowDto'][]; readonly page: { readonly nextCursor?: string } }>;
}

export interface LiveViewOptions {
  /** How many rows are held: the first so many by the order of the view. All of them without it. */
  readonly most?: number;
}

/** Rows of one request. */
const PAGE = 1000;

/** Events that make it necessary to read anew are waited for so long, so that many of them cost one read, ms. */
const PAUSE = 250;

/**
 * A local copy of what a view shows, in the view's order: while it is `live`, it has all that was written up to the number {@link seq}, and perhaps
 * some of what came behind it.
 *
 * A view of rows of one table that shows their id (`"columns": ["d._id", …]`) is kept by its events; it is read anew where they do not tell
 * everything: a row that is new in a sorted view, or has moved there. All other views are read anew when something was written.
 */
export class LiveView<Fields extends object = Record<string, unknown>> extends LiveChannel<LiveViewChange> {
  private view: ViewDescription | undefined;
  private held = new HeldView<Fields>([], undefined);
  private most: number;
  private whole = false;
  private tells: Subscribed['tells'];
  /** Just read, and followed from before that on. */
  private isFresh = false;
  /** Behind this number nothing that the pages show is told again. */
  private horizon = Infinity;

  constructor(
    id: string,
    connection: Connection,
    private readonly reader: ViewReader,
    left: () => void,
    { most = Infinity }: LiveViewOptions = {},
  ) {
    super(id, `view:${id}`, connection, left);
    this.most = most;
    this.begin();
  }

  get rows(): readonly ViewRow<Fields>[] {
    return this.held.all;
  }

  /** Name, definition and so on; undefined before the first read. */
  get description(): ViewDescription | undefined {
    return this.view;
  }

  /** Whether the copy is all that the view shows, or the view goes on behind its last row. */
  get complete(): boolean {
    return this.whole;
  }

  /** Holds so many rows more, from the next read on, which begins at once. */
  extend(rows: number): void {
    this.most += rows;
    this.want('read');
  }

  protected receive(name: UpdateName, told: Told): void {
    if (name === 'view:update') void this.describe();
    if (name !== 'data:update') return;
    const event = told as unknown as ViewNumbered;
    // Of other databases and of the time there are no numbers.
    if (event.invalidated) this.wantSoon(PAUSE);
    else if (this.isNext(event)) this.apply(event);
  }

  private apply(event: ViewNumbered): void {
    const { epoch, seq, actor } = event;
    const changes = this.held.apply(event);
    this.position = { epoch, seq };
    if (!changes || (seq >= this.horizon && this.held.misses)) this.wantSoon(PAUSE);
    else this.emit('change', { kind: 'rows', seq, actor, ...changes });
  }

  protected async read(): Promise<Position | undefined> {
    // First the number, then the pages: what lies between is told again, or makes them be read again.
    const begun = await this.connection.follow(this, this.channel);
    this.tells = begun.tells;
    const view = await this.reader.describe();
    const keeping = keepingOf(view);
    const rows: ViewRow<Fields>[] = [];
    let cursor: string | undefined;
    do {
      const { data, page } = await this.reader.page(cursor, Math.min(PAGE, this.most - rows.length));
      for (const row of data) rows.push(viewRow<Fields>(row, keeping));
      cursor = page.nextCursor;
    } while (cursor !== undefined && rows.length < this.most && this.state !== 'ended');
    if (this.state === 'ended') return undefined;
    this.view = view;
    this.whole = cursor === undefined;
    this.held = new HeldView(rows, this.whole ? keeping : undefined);
    this.horizon = Infinity;
    this.isFresh = true;
    this.position = { epoch: begun.epoch, seq: begun.seq };
    this.emit('change', { kind: 'read', seq: begun.seq });
    return this.position;
  }

  /** Where it is only told that something was written, the feed goes on behind the read, which began with it. */
  protected override async subscribe(): Promise<void> {
    if (this.tells === 'rows') await super.subscribe();
    else if (this.isFresh) {
      this.isFresh = false;
      this.renewPresence();
      this.becomeLive();
    } else this.want('read');
  }

  protected override subscribed({ seq }: Subscribed): void {
    this.horizon = seq;
    if (this.seq >= seq && this.held.misses) this.wantSoon(PAUSE);
  }

  private async describe(): Promise<void> {
    try {
      const view = await this.reader.describe();
      if (this.state === 'ended') return;
      this.view = view;
      this.emit('change', { kind: 'described', seq: this.seq });
    } catch (error) {
      this.failed(error);
    }
  }
}
