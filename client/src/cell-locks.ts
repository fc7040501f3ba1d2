import type { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import type { Cell, LockedCell, Told } from './protocol.js';

export interface CellLockEvents {
  /** The cells that others ask to be left to them. */
  change: readonly LockedCell[];
  /** This one was held here, and is somebody else's now. */
  lost: LockedCell;
}

/** A lock ends after 30 seconds; it is renewed well before, ms. */
const RENEWED_EVERY = 10_000;

/**
 * Cells of a table that somebody asks others to leave to him: a courtesy, which keeps nobody from writing. What is held here is renewed until it is
 * unlocked. Locks of others are known from the first presence on.
 */
export class CellLocks extends Emitter<CellLockEvents> {
  private readonly theirs = new Map<string, LockedCell>();
  private readonly mine = new Map<string, Cell>();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly channel: string,
  ) {
    super();
  }

  /** Those of others. */
  get all(): readonly LockedCell[] {
    return [...this.theirs.values()];
  }

  /** Asks others to leave the cell to this window. Undefined where it is this window's now, else whose it is. */
  async lock(cell: Cell): Promise<LockedCell | undefined> {
    const key = keyOf(cell);
    const { mine, user } = await this.ask(cell);
    if (!mine) {
      this.mine.delete(key);
      this.set({ cell, user });
      return { cell, user };
    }
    this.mine.set(key, cell);
    if (this.theirs.delete(key)) this.emit('change', this.all);
    this.timer ??= setInterval(() => this.renew(), RENEWED_EVERY);
    return undefined;
  }

  async unlock(cell: Cell): Promise<void> {
    this.mine.delete(keyOf(cell));
    this.restWhereIdle();
    if (this.connection.connected) await this.connection.ask('unlock', { channel: this.channel, cell });
  }

  /** The channel is followed anew: what others hold is heard of anew, and what is held here is asked for again. */
  renew(): void {
    for (const cell of this.mine.values()) this.lock(cell).catch(() => undefined);
  }

  know(locks: readonly LockedCell[]): void {
    this.theirs.clear();
    for (const lock of locks) if (!this.mine.has(keyOf(lock.cell))) this.theirs.set(keyOf(lock.cell), lock);
    this.emit('change', this.all);
  }

  clear(): void {
    if (this.theirs.size === 0) return;
    this.theirs.clear();
    this.emit('change', []);
  }

  end(): void {
    // Another copy of this window may follow the channel on.
    for (const cell of this.mine.values()) this.unlock(cell).catch(() => undefined);
    this.clear();
  }

  receive(event: Told): void {
    const { cell, user, locked } = event as unknown as LockedCell & { readonly locked: boolean };
    const key = keyOf(cell);
    if (!locked) {
      if (this.theirs.delete(key)) this.emit('change', this.all);
      return;
    }
    // Two asked at once, and the other one was earlier.
    if (this.mine.delete(key)) this.emit('lost', { cell, user });
    this.restWhereIdle();
    this.set({ cell, user });
  }

  private set(lock: LockedCell): void {
    this.theirs.set(keyOf(lock.cell), lock);
    this.emit('change', this.all);
  }

  private ask(cell: Cell): Promise<LockedCell & { readonly mine: boolean }> {
    return this.connection.ask('lock', { channel: this.channel, cell });
  }

  private restWhereIdle(): void {
    if (this.mine.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

const keyOf = ({ rowId, columnKey }: Cell): string => JSON.stringify([rowId, columnKey]);
