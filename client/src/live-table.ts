import type { Connection } from './connection.js';
import { HeldRows, type LiveRow, type RowChanges } from './held-rows.js';
import { LiveChannel } from './live-channel.js';
import type { Schemas } from './openapi.js';
import type { Actor, Numbered, Position, Told, UpdateName } from './protocol.js';

export type TableDescription = Schemas['TableDto'];

/** What happened to the copy: an event that was applied, or the whole read anew (`read`; the first time, too). */
export type LiveChange =
  | ({ readonly kind: 'rows'; readonly seq: number; readonly actor: Actor } & RowChanges)
  | { readonly kind: 'read'; readonly seq: number };

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

/**
 * A local copy of a table that stays exact: while it is `live` or `behind`, it is the table as it was behind the number {@link seq}.
 *
 * Changes too large for an event, and changes of the structure (which change values without telling so row by row) read the table anew.
 *
 * Values of lookups, rollups and counts, and formulas over them, are as of the last read of their row: no event of this table tells of them.
 */
export class LiveTable<Fields extends object = Record<string, unknown>> extends LiveChannel<LiveChange> {
  private table: TableDescription | undefined;
  private held: HeldRows<Fields> = new HeldRows<Fields>([], 0);
  private most: number;
  private whole = false;

  constructor(
    id: string,
    connection: Connection,
    private readonly reader: LiveReader<Fields>,
    left: () => void,
    { most = Infinity }: LiveOptions = {},
  ) {
    super(id, `table:${id}`, connection, left);
    this.most = most;
    this.begin();
  }

  get rows(): ReadonlyMap<string, LiveRow<Fields>> {
    return this.held.view;
  }

  /** Name, columns and so on; undefined before the first read. */
  get description(): TableDescription | undefined {
    return this.table;
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

  protected receive(name: UpdateName, told: Told): void {
    if (name !== 'data:update' && name !== 'schema:update') return;
    const event = told as unknown as Numbered;
    if (!this.isNext(event)) return;
    if (name === 'schema:update' || event.invalidated) this.want('read');
    else this.apply(event);
  }

  /** Takes the number only when what it did is in the copy; otherwise the feed would go on from there after a failed read. */
  private apply(event: Numbered): void {
    const { epoch, seq, actor } = event;
    const changes = this.held.apply(event);
    if (changes === 'lost') {
      this.want('read');
      return;
    }
    this.position = { epoch, seq };
    this.emit('change', { kind: 'rows', seq, actor, ...changes });
  }

  protected async read(): Promise<Position | undefined> {
    const table = await this.reader.describe();
    const rows: LiveRow<Fields>[] = [];
    let first: Position | undefined;
    let cursor: string | undefined;
    let horizon: number;
    do {
      const { data, page, meta } = await this.reader.page(cursor, Math.min(PAGE, this.most - rows.length));
      first ??= meta;
      // The numbers began anew between two pages: they are not of one table.
      if (meta.epoch !== first.epoch) return undefined;
      for (const row of data) rows.push(row);
      horizon = meta.seq;
      cursor = page.nextCursor;
    } while (cursor !== undefined && rows.length < this.most && this.state !== 'ended');
    if (this.state === 'ended') return undefined;
    this.table = table;
    this.whole = cursor === undefined;
    this.held = new HeldRows(rows, horizon, this.whole ? undefined : rows.at(-1)?.id);
    this.position = { epoch: first.epoch, seq: first.seq };
    this.emit('change', { kind: 'read', seq: first.seq });
    return this.position;
  }
}
