import type { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { CellLocks } from './cell-locks.js';
import type { AsideName, LockedCell, PresenceState, PresentPerson, Told } from './protocol.js';

export interface PresenceEvents {
  /** Everybody else who is there now. */
  change: readonly PresentPerson[];
}

/**
 * Who else is at a channel, and what they do there. It knows of those who come or move from the moment that the channel is followed, and of
 * all from the first {@link Presence.set}.
 */
export class Presence extends Emitter<PresenceEvents> {
  private readonly others = new Map<string, PresentPerson>();
  /** Of cells, where the channel is a table's. */
  readonly locks: CellLocks;
  private mine: PresenceState | undefined;
  private id: string | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly channel: string,
  ) {
    super();
    this.locks = new CellLocks(connection, channel);
  }

  get people(): readonly PresentPerson[] {
    return [...this.others.values()];
  }

  /** What this window does. Kept and told again after a lost connection; one that is away now is told when it is back. */
  async set(state: PresenceState): Promise<void> {
    this.mine = state;
    if (this.connection.connected) await this.say();
  }

  /** The channel is followed anew: whoever was there may have gone unheard. */
  async renew(): Promise<void> {
    this.clear();
    this.locks.renew();
    if (this.mine) await this.say();
  }

  clear(): void {
    this.locks.clear();
    if (this.others.size === 0) return;
    this.others.clear();
    this.emit('change', []);
  }

  /** Nobody is told any more that this window is there. */
  end(): void {
    this.clear();
    this.locks.end();
  }

  receive(name: AsideName, event: Told): void {
    if (name === 'cell:lock') {
      this.locks.receive(event);
      return;
    }
    const person = event as unknown as PresentPerson;
    if (person.presenceId === this.id) return;
    if (name === 'user:leave') this.others.delete(person.presenceId);
    else this.others.set(person.presenceId, person);
    this.emit('change', this.people);
  }

  private async say(): Promise<void> {
    const message = { channel: this.channel, state: this.mine };
    const { presenceId, present, locks } = await this.connection.ask<{
      readonly presenceId: string;
      readonly present: readonly PresentPerson[];
      readonly locks: readonly LockedCell[];
    }>('presence', message);
    this.id = presenceId;
    this.others.delete(presenceId);
    for (const person of present) this.others.set(person.presenceId, person);
    this.locks.know(locks);
    this.emit('change', this.people);
  }
}
