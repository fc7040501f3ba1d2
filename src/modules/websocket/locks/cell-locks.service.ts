import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { invalid, newId, Problem, type Id } from '../../../common/index.js';
import { EventBus, type Topics } from '../../events/index.js';
import { ChannelAccess } from '../channel-access.js';
import type { Connection } from '../connection.js';
import {
  partRoom,
  targetOf,
  type CellLock,
  type LiveServer,
  type LockAnswer,
  type LockMessage,
  type UnlockAnswer,
} from '../messages/index.js';
import { keyOf, LockBoard, type Claim } from './lock-board.js';
import { SeenCells } from './seen-cells.js';
import { lockEvent, lockOf, SeenLocks } from './seen-locks.js';

/** A lock that is not renewed ends, so nobody holds one who fell silent, or whose node died. */
const LIFETIME_MS = 30_000;
/** How often the rights of those who hold locks are looked at, and what has ended is told. */
const ROUND_MS = 2_000;
/** Cells that one socket may hold. */
const MOST_HELD = 10;
/** Cells that an answer lists. */
const MOST_LISTED = 200;

/**
 * Who has asked others to leave a cell to him. A courtesy among editors: writes are judged by versions, and never by this. Nodes tell each other
 * by the bus; of two who ask at once on two nodes, the later one is told in the next moment that it is the other's. Nothing of it is kept.
 */
@Injectable()
export class CellLocks implements OnModuleInit, OnModuleDestroy {
  private readonly board = new LockBoard(LIFETIME_MS);
  private readonly own = new Map<Connection, Map<string, Claim>>();
  private server: LiveServer | undefined;
  private stopListening: () => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly access: ChannelAccess,
    private readonly cells: SeenCells,
    private readonly parts: SeenLocks,
  ) {
    this.parts.attach({
      at: (cell) => this.board.at(cell, Date.now()),
      any: () => !this.board.isEmpty,
      in: (channel) => this.board.in(channel, Date.now(), Infinity),
      isOf: (claim, connection) => this.holderOf(claim) === connection,
    });
  }

  onModuleInit(): void {
    this.stopListening = this.bus.on('lock.changed', (told) => this.hear(told));
    this.timer = setInterval(() => void this.round(), ROUND_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const connection of [...this.own.keys()]) this.leaveAll(connection);
    this.stopListening();
  }

  /** The server whose rooms are used; called once, before the first socket comes. */
  attach(server: LiveServer): void {
    this.server = server;
  }

  /**
   * Locks a cell of a table, or renews the lock, or says whose it is.
   * @throws Problem `not_found`, `role_too_low`; `ruled_out` rules keep him from changing the cell; `limit_reached`, `validation_failed`
   */
  async lock(connection: Connection, { channel, cell }: LockMessage): Promise<LockAnswer> {
    const tableId = await this.allowed(connection, channel);
    const refused = await this.access.askAsSeen(connection.caller(), tableId, (seen) => this.cells.refusalOf(seen, cell)); // prettier-ignore
    if (refused) throw refused;
    if (connection.closed) throw new Problem('conflict', { detail: 'The socket has ended.' });
    const now = Date.now();
    const held = this.own.get(connection) ?? new Map<string, Claim>();
    const key = keyOf({ channel, ...cell });
    const there = this.board.at({ channel, ...cell }, now);
    const mine = held.get(key);
    if (there && there.holder !== mine?.holder) return { ok: true, channel, mine: false, ...lockOf(there) };
    if (!mine && held.size >= MOST_HELD)
      throw new Problem('limit_reached', { detail: `A socket may hold ${MOST_HELD} cells; unlock one of them.` });
    const { userId, name } = connection.principal;
    const claim = mine ?? { channel, ...cell, holder: newId(), userId, name, since: now };
    this.own.set(connection, held.set(key, claim));
    this.tell(claim, true);
    return { ok: true, channel, mine: true, ...lockOf(claim), until: new Date(now + LIFETIME_MS).toISOString() };
  }

  /** That it was not locked is no error. */
  unlock(connection: Connection, { channel, cell }: LockMessage): UnlockAnswer {
    this.release(connection, keyOf({ channel, ...cell }));
    return { ok: true, channel, cell };
  }

  /** Unlocks what the socket holds at a channel. */
  leave(connection: Connection, channel: string): void {
    this.parts.forget(connection, channel);
    for (const [key, claim] of this.own.get(connection) ?? [])
      if (claim.channel === channel) this.release(connection, key);
  }

  leaveAll(connection: Connection): void {
    this.parts.forget(connection);
    for (const key of this.own.get(connection)?.keys() ?? []) this.release(connection, key);
  }

  /** The locks of others and of one's own at a channel; of somebody who sees part of it, those that he sees. */
  async at(connection: Connection, channel: string, seesPart: boolean): Promise<readonly CellLock[]> {
    if (!seesPart) return this.board.in(channel, Date.now(), MOST_LISTED).map(lockOf);
    return (await this.parts.at(connection, channel, MOST_LISTED)).map(lockOf);
  }

  /** The right to lock cells of a table. @returns which */
  private async allowed(connection: Connection, channel: string): Promise<Id> {
    const target = targetOf(channel);
    if (target.kind !== 'table')
      throw invalid([
        { pointer: '/channel', code: 'no_cells', detail: 'Only cells of tables are locked: table:<id>.' },
      ]);
    await this.access.mayEdit(connection.caller(), target.tableId);
    return target.tableId;
  }

  private release(connection: Connection, key: string): void {
    const held = this.own.get(connection);
    const claim = held?.get(key);
    if (!held || !claim) return;
    held.delete(key);
    if (held.size === 0) this.own.delete(connection);
    this.tell(claim, false);
  }

  private tell(claim: Claim, held: boolean): void {
    this.bus.publish('lock.changed', { ...claim, held });
  }

  private hear({ held, ...claim }: Topics['lock.changed']): void {
    if (!held) {
      if (this.board.remove(claim)) this.emit(claim, false);
      return;
    }
    const before = this.board.at(claim, Date.now());
    if (this.board.put(claim, Date.now()) !== 'new') return;
    if (before) this.lose(before);
    this.emit(claim, true);
  }

  /** Another one was earlier: it is not ours, without a word to others. */
  private lose(claim: Claim): void {
    const connection = this.holderOf(claim);
    const held = connection && this.own.get(connection);
    held?.delete(keyOf(claim));
    if (connection && held?.size === 0) this.own.delete(connection);
  }

  private holderOf(claim: Claim): Connection | undefined {
    return [...this.own].find(([, held]) => held.get(keyOf(claim))?.holder === claim.holder)?.[0];
  }

  private async round(): Promise<void> {
    for (const gone of this.board.expire(Date.now())) {
      this.lose(gone);
      this.emit(gone, false);
    }
    for (const [connection, held] of [...this.own])
      for (const channel of new Set([...held.values()].map((claim) => claim.channel)))
        await this.review(connection, channel).catch((error: unknown) => {
          // Where nobody can tell, because a database is away, nothing is decided.
          if (error instanceof Problem && error.status < 500) this.leave(connection, channel);
        });
    this.parts.round();
  }

  /** Gives up the cells that a socket holds and does not see any more, or may not change. Throws where it may lock none at all. */
  private async review(connection: Connection, channel: string): Promise<void> {
    const tableId = await this.allowed(connection, channel);
    const held = [...(this.own.get(connection) ?? [])].filter(([, claim]) => claim.channel === channel);
    const claims = held.map(([, claim]) => claim);
    const editable = await this.access.askAsSeen(connection.caller(), tableId, (seen) => this.cells.editable(seen, claims)); // prettier-ignore
    if (editable) for (const [key, claim] of held) if (!editable.has(claim)) this.release(connection, key);
  }

  /** To those in the room who see all of the table, but for the socket that it is about; to others where they see the cell. */
  private emit(claim: Claim, locked: boolean): void {
    const { channel } = claim;
    const own = locked ? this.holderOf(claim) : undefined;
    (own ? own.socket.to(channel) : this.server?.to(channel))?.emit('cell:lock', lockEvent(claim, locked));
    if (this.server?.of('/').adapter.rooms.has(partRoom(channel)) === true) this.parts.changed(claim);
  }
}
