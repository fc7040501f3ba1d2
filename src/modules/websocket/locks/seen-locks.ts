import { Injectable } from '@nestjs/common';
import { ChannelAccess } from '../channel-access.js';
import type { Connection } from '../connection.js';
import { Connections } from '../connections.js';
import { targetOf, type CellLock, type CellLockEvent } from '../messages/index.js';
import { keyOf, type Cell, type Claim } from './lock-board.js';
import { SeenCells } from './seen-cells.js';

/** What is locked, as far as this node has heard. */
export interface Locks {
  readonly at: (cell: Cell) => Claim | undefined;
  readonly in: (channel: string) => readonly Claim[];
  readonly any: () => boolean;
  /** Whether it is a window's own claim. */
  readonly isOf: (claim: Claim, connection: Connection) => boolean;
}

/**
 * Tells those who see part of a table of the locks at the cells that they see, and of no other. What each window was told is remembered: it
 * hears the end of that and of nothing else, and where a row goes out of its sight it hears of that in a round, whenever the lock itself ends.
 *
 * Costs nothing where everybody sees all of a table, and one statement for each kind of member where somebody does not.
 */
@Injectable()
export class SeenLocks {
  private readonly told = new Map<Connection, Map<string, Claim>>();
  private readonly turns = new Map<string, Promise<unknown>>();
  /** Cells whose turn will come, by channel: however many change while one turn takes its time, they are one turn. */
  private readonly waiting = new Map<string, Map<string, Cell>>();
  private locks: Locks | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly access: ChannelAccess,
    private readonly cells: SeenCells,
  ) {}

  /** Called once, before the first lock. */
  attach(locks: Locks): void {
    this.locks = locks;
  }

  /** A cell was locked or unlocked, of a table that somebody follows who sees part of it. */
  changed({ channel, rowId, columnKey }: Cell): void {
    const cell = { channel, rowId, columnKey };
    const waiting = this.waiting.get(channel);
    if (waiting) {
      waiting.set(keyOf(cell), cell);
      return;
    }
    const cells = new Map([[keyOf(cell), cell]]);
    this.waiting.set(channel, cells);
    void this.inTurn(channel, () => {
      this.waiting.delete(channel);
      return this.tell(channel, [...cells.values()], false);
    });
  }

  /** Rows come into sight and go out of it, without a word to locks. */
  round(): void {
    if (this.told.size === 0 && this.locks?.any() !== true) return;
    const channels = new Set(
      this.connections.where().flatMap(({ subscriptions }) => [...subscriptions.values()].flatMap(partChannel)),
    );
    for (const channel of channels)
      // Where one waits, another one would find no more.
      if (!this.turns.has(channel)) void this.inTurn(channel, () => this.tell(channel, this.known(channel), true));
  }

  /** The locks at the cells that somebody sees, up to a number; of these he hears the end, if he follows the channel. */
  async at(connection: Connection, channel: string, atMost: number): Promise<readonly Claim[]> {
    return (
      (await this.inTurn(channel, async () => {
        const claims = this.locks?.in(channel) ?? [];
        const seen = await this.ask(connection, channel, claims);
        if (!seen) return [];
        const listed = claims.filter((claim) => seen.cells.has(claim) && this.isThere(claim)).slice(0, atMost);
        if (!connection.closed && followsPart(connection, channel) !== undefined)
          for (const claim of listed)
            if (!this.locks?.isOf(claim, connection)) this.remember(connection, keyOf(claim), claim);
        return listed;
      })) ?? []
    );
  }

  forget(connection: Connection, channel?: string): void {
    const told = this.told.get(connection);
    for (const [key, claim] of told ?? []) if (channel === undefined || claim.channel === channel) told?.delete(key);
    if (told?.size === 0) this.told.delete(connection);
  }

  /** One after the other: what is told last is what is so. Where nobody can tell, because a database is away, the next round does. */
  private inTurn<T>(channel: string, work: () => Promise<T>): Promise<T | undefined> {
    const turn = (this.turns.get(channel) ?? Promise.resolve()).then(work).catch(() => undefined);
    this.turns.set(channel, turn);
    void turn.then(() => {
      if (this.turns.get(channel) === turn) this.turns.delete(channel);
    });
    return turn;
  }

  /** @param isRound whether what is out of sight by now is told to have ended */
  private async tell(channel: string, cells: readonly Cell[], isRound: boolean): Promise<void> {
    if (cells.length === 0) return;
    for (const group of bySight(this.followers(channel), channel)) {
      const [first] = group;
      // Where it cannot be told to some, others are told.
      const seen = first && (await this.ask(first, channel, cells).catch(() => undefined));
      if (!seen) continue;
      for (const connection of group)
        // Whoever sees something else by now begins again.
        if (!connection.closed && followsPart(connection, channel) === seen.sight)
          for (const cell of cells) this.tellOne(connection, cell, seen.cells.has(cell), isRound);
    }
  }

  private tellOne(connection: Connection, cell: Cell, isSeen: boolean, isRound: boolean): void {
    const key = keyOf(cell);
    const before = this.told.get(connection)?.get(key);
    const now = this.locks?.at(cell);
    if (now && isSeen && !this.locks?.isOf(now, connection)) {
      if (before?.holder === now.holder) return;
      this.remember(connection, key, now);
      emit(connection, now, true);
    } else if (before && (isSeen || isRound)) {
      this.told.get(connection)?.delete(key);
      emit(connection, before, false);
    }
  }

  private remember(connection: Connection, key: string, claim: Claim): void {
    this.told.set(connection, (this.told.get(connection) ?? new Map<string, Claim>()).set(key, claim));
  }

  private known(channel: string): readonly Cell[] {
    const told = this.followers(channel).flatMap((one) => [...(this.told.get(one)?.values() ?? [])]);
    const all = [...(this.locks?.in(channel) ?? []), ...told.filter((claim) => claim.channel === channel)];
    return [...new Map(all.map((claim) => [keyOf(claim), claim])).values()];
  }

  private isThere = (claim: Claim): boolean => this.locks?.at(claim)?.holder === claim.holder;

  private followers(channel: string): readonly Connection[] {
    return this.connections.where((connection) => !connection.closed && followsPart(connection, channel) !== undefined);
  }

  /** Which of the cells he sees; undefined where he sees all of the table. */
  private async ask<C extends Cell>(connection: Connection, channel: string, cells: readonly C[]) {
    const target = targetOf(channel);
    if (target.kind !== 'table') return undefined;
    return this.access.askAsSeen(connection.caller(), target.tableId, async (table, sight) => ({
      sight,
      cells: await this.cells.seen(table, cells),
    }));
  }
}

/** Those who see the same. */
function bySight(followers: readonly Connection[], channel: string): readonly (readonly Connection[])[] {
  const groups = new Map<string | undefined, Connection[]>();
  for (const one of followers) {
    const sight = followsPart(one, channel);
    groups.set(sight, [...(groups.get(sight) ?? []), one]);
  }
  return [...groups.values()];
}

const partChannel = (one: { readonly kind: string; readonly channel: string; readonly sight?: string }): string[] =>
  one.kind === 'table' && one.sight !== undefined ? [one.channel] : [];

/** Names what somebody sees of the table that he follows, where that is a part. */
function followsPart({ subscriptions }: Connection, channel: string): string | undefined {
  const found = subscriptions.get(channel);
  return found?.kind === 'table' && found.joined ? found.sight : undefined;
}

export const lockOf = ({ rowId, columnKey, userId, name }: Claim): CellLock => ({
  cell: { rowId, columnKey },
  user: { id: userId, name },
});

export const lockEvent = (claim: Claim, locked: boolean): CellLockEvent => ({
  ...{ channel: claim.channel, ...lockOf(claim), locked },
  at: new Date().toISOString(),
});

const emit = ({ socket }: Connection, claim: Claim, locked: boolean): void => {
  socket.emit('cell:lock', lockEvent(claim, locked));
};
