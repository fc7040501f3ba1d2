import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { newId, Problem, type Id } from '../../../common/index.js';
import { EventBus, type Topics } from '../../events/index.js';
import { ChannelAccess } from '../channel-access.js';
import type { Connection } from '../connection.js';
import { CellLocks } from '../locks/cell-locks.service.js';
import {
  partRoom,
  targetOf,
  type LiveServer,
  type PresenceAnswer,
  type PresenceMessage,
  type PresentPerson,
} from '../messages/index.js';
import { PresenceBoard, type Present } from './presence-board.js';

/** Nodes say this often who is with them, and believe others for three times as long: so nobody stays who died with his node. */
const BEAT_MS = 10_000;
const LIFETIME_MS = 30_000;
/** A cursor that moves is told no more often. */
const WINDOW_MS = 50;
/** People whom an answer lists. */
const MOST_LISTED = 200;

/** A socket at a channel. */
interface Own {
  readonly presenceId: Id;
  state: string;
  /** Runs while a change waits to be told. */
  waiting?: NodeJS.Timeout;
}

/**
 * Who is at a table, and what he does there. Nodes tell each other by the bus, each of its own sockets; what is lost there is told again with the
 * next beat. Nothing of it is kept.
 */
@Injectable()
export class Presence implements OnModuleInit, OnModuleDestroy {
  private readonly board = new PresenceBoard(LIFETIME_MS);
  private readonly own = new Map<Connection, Map<string, Own>>();
  private readonly sockets = new Map<Id, Connection>();
  private server: LiveServer | undefined;
  private stopListening: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly access: ChannelAccess,
    private readonly locks: CellLocks,
  ) {}

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('presence.changed', (told) => this.hear(told)),
      this.bus.on('presence.asked', () => this.tellAll()),
    ];
    this.timer = setInterval(() => void this.beat(), BEAT_MS);
    this.timer.unref();
    // Others were there before this node.
    this.bus.publish('presence.asked', { by: newId() });
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const connection of [...this.own.keys()]) this.leaveAll(connection);
    for (const stop of this.stopListening) stop();
  }

  /** The server whose rooms are used; called once, before the first socket comes. */
  attach(server: LiveServer): void {
    this.server = server;
    this.locks.attach(server);
  }

  /**
   * The socket is at the channel, and does this there. Whoever follows the channel is told; those who see part of what it is about are told who
   * is there, and not where in it.
   * @returns who else is there
   * @throws Problem `not_found`, `role_too_low`, `validation_failed`
   */
  async show(connection: Connection, { channel, state }: PresenceMessage): Promise<PresenceAnswer> {
    const seesPart = await this.mustBeAllowed(connection, channel);
    if (connection.closed) throw new Problem('conflict', { detail: 'The socket has ended.' });
    const text = JSON.stringify(state);
    const channels = this.own.get(connection) ?? new Map<string, Own>();
    this.own.set(connection, channels);
    const own = channels.get(channel) ?? { presenceId: newId(), state: text };
    if (channels.has(channel)) this.soon(connection, channel, own, text);
    else {
      channels.set(channel, own);
      this.sockets.set(own.presenceId, connection);
      this.tell(connection, channel, own);
    }
    return {
      ok: true,
      channel,
      presenceId: own.presenceId,
      present: this.board
        .others(channel, own.presenceId, MOST_LISTED)
        .map((present) => (seesPart ? withoutPlace(toPerson(present)) : toPerson(present))),
      locks: await this.locks.at(connection, channel, seesPart),
    };
  }

  /** The cells that it holds are free then. That it was not there is no error. */
  leave(connection: Connection, channel: string): void {
    this.locks.leave(connection, channel);
    const channels = this.own.get(connection);
    const own = channels?.get(channel);
    if (!own) return;
    clearTimeout(own.waiting);
    channels?.delete(channel);
    if (channels?.size === 0) this.own.delete(connection);
    this.tell(connection, channel, { ...own, state: '' });
    this.sockets.delete(own.presenceId);
  }

  leaveAll(connection: Connection): void {
    for (const channel of [...(this.own.get(connection)?.keys() ?? [])]) this.leave(connection, channel);
    this.locks.leaveAll(connection);
  }

  /** Whether there is something that he is not to be told of. */
  private async mustBeAllowed(connection: Connection, channel: string): Promise<boolean> {
    const target = targetOf(channel);
    const caller = connection.caller();
    await this.access.mayFollow(caller, target);
    return (await this.access.sight(caller, target)) !== undefined;
  }

  private soon(connection: Connection, channel: string, own: Own, state: string): void {
    own.state = state;
    own.waiting ??= setTimeout(() => {
      delete own.waiting;
      this.tell(connection, channel, own);
    }, WINDOW_MS);
  }

  private tell({ principal }: Connection, channel: string, { presenceId, state }: Own): void {
    this.bus.publish('presence.changed', {
      channel,
      presenceId,
      userId: principal.userId,
      name: principal.name,
      state,
    });
  }

  private tellAll(): void {
    for (const [connection, channels] of this.own)
      for (const [channel, own] of channels) this.tell(connection, channel, own);
  }

  /** Whoever lost the right goes; all others are told of again, and those of dead nodes are forgotten. */
  private async beat(): Promise<void> {
    for (const [connection, channels] of [...this.own])
      for (const channel of [...channels.keys()])
        await this.mustBeAllowed(connection, channel).catch((error: unknown) => {
          // Where nobody can tell, because a database is away, nothing is decided.
          if (error instanceof Problem && error.status < 500) this.leave(connection, channel);
        });
    this.tellAll();
    for (const gone of this.board.expire(Date.now())) this.emitLeave(gone);
  }

  private hear({ channel, presenceId, userId, name, state }: Topics['presence.changed']): void {
    if (state === '') {
      const gone = this.board.remove(channel, presenceId);
      if (gone) this.emitLeave(gone);
      return;
    }
    const present = { channel, presenceId, userId, name, state };
    const news = this.board.put(present, Date.now());
    if (news === 'same') return;
    const event = news === 'new' ? 'user:join' : 'user:cursor';
    const person = toPerson(present);
    const at = new Date().toISOString();
    this.room(present, channel)?.emit(event, { channel, ...person, at });
    this.room(present, partRoom(channel))?.emit(event, { channel, ...withoutPlace(person), at });
  }

  private emitLeave(gone: Present): void {
    const { channel, presenceId } = gone;
    const event = { channel, presenceId, user: userOf(gone), at: new Date().toISOString() };
    for (const room of [channel, partRoom(channel)]) this.room(gone, room)?.emit('user:leave', event);
  }

  /** Those in the room here, but for the socket that it is about. */
  private room({ presenceId }: Present, room: string) {
    const own = this.sockets.get(presenceId);
    return own ? own.socket.to(room) : this.server?.to(room);
  }
}

const userOf = ({ userId, name }: Present) => ({ id: userId, name });

/** For those who may not see the row or the column that the cursor is at. */
const withoutPlace = ({ state: { mode }, ...person }: PresentPerson): PresentPerson => ({
  ...person,
  state: mode === undefined ? {} : { mode },
});

const toPerson = (present: Present): PresentPerson => ({
  presenceId: present.presenceId,
  user: userOf(present),
  state: JSON.parse(present.state) as PresentPerson['state'],
});
