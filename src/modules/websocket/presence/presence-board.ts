import type { Id } from '../../../common/index.js';

/** Somebody at a channel, through one socket of some node. */
export interface Present {
  readonly channel: string;
  /** One socket at one channel: a person may be there several times. */
  readonly presenceId: Id;
  readonly userId: Id;
  readonly name: string;
  /** As JSON text. */
  readonly state: string;
}

/** Who is where, on all nodes, as far as this one has heard. Whoever is not heard of any more is taken to have gone. */
export class PresenceBoard {
  private readonly channels = new Map<string, Map<Id, { readonly present: Present; readonly heardAt: number }>>();

  constructor(private readonly lifetimeMs: number) {}

  /** What has become of it: new, another state, or nothing. */
  put(present: Present, now: number): 'new' | 'changed' | 'same' {
    const there = this.channels.get(present.channel) ?? new Map<Id, { present: Present; heardAt: number }>();
    const before = there.get(present.presenceId);
    there.set(present.presenceId, { present, heardAt: now });
    this.channels.set(present.channel, there);
    if (!before) return 'new';
    return before.present.state === present.state ? 'same' : 'changed';
  }

  /** Whoever it was; undefined where nobody was there. */
  remove(channel: string, presenceId: Id): Present | undefined {
    const there = this.channels.get(channel);
    const gone = there?.get(presenceId)?.present;
    there?.delete(presenceId);
    if (there?.size === 0) this.channels.delete(channel);
    return gone;
  }

  /** Takes away those that were not heard of for too long. */
  expire(now: number): readonly Present[] {
    const old = [...this.channels.values()].flatMap((there) =>
      [...there.values()].filter(({ heardAt }) => now - heardAt > this.lifetimeMs).map(({ present }) => present),
    );
    for (const { channel, presenceId } of old) this.remove(channel, presenceId);
    return old;
  }

  /** Those at a channel but one, up to a number. */
  others(channel: string, presenceId: Id, atMost: number): readonly Present[] {
    const there = [...(this.channels.get(channel)?.values() ?? [])].map(({ present }) => present);
    return there.filter((each) => each.presenceId !== presenceId).slice(0, atMost);
  }
}
