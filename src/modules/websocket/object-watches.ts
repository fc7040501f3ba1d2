import { Logger } from '@nestjs/common';
import { Problem, type Id } from '../../common/index.js';
import type { ExternalObject } from '../connections/index.js';
import { Gate } from './feed/gate.js';

/** The longest pause between two looks at a database that fails, unless the interval itself is longer. */
const MAX_PAUSE_MS = 10 * 60_000;

/** Something that is another when the object has changed. */
export type DigestOf = (object: ExternalObject, signal: AbortSignal) => Promise<string>;

/** One object that somebody on this node follows. */
interface Watch {
  readonly object: ExternalObject;
  readonly ending: AbortController;
  users: number;
  /** How it was found the last time. */
  known?: string;
  failures: number;
  timer?: NodeJS.Timeout;
}

/**
 * Looks again and again at the objects of external databases that somebody on this node follows, since nobody tells of what others change
 * there: one look per object at a time, and one per connection, so that people never wait behind them for long.
 */
export class ObjectWatches {
  private readonly logger = new Logger('Live');
  private readonly watches = new Map<string, Watch>();
  private readonly turns = new Map<Id, Gate>();
  private ended = false;

  constructor(
    private readonly digestOf: DigestOf,
    /** Milliseconds; 0: nothing is looked at. */
    private readonly everyMs: number,
    private readonly changed: (object: ExternalObject) => void,
  ) {}

  /** For one more who follows it, and who must {@link release} it. */
  acquire(object: ExternalObject): void {
    if (this.everyMs === 0 || this.ended) return;
    const known = this.watches.get(nameOf(object));
    if (known) {
      known.users += 1;
      return;
    }
    const watch: Watch = { object, ending: new AbortController(), users: 1, failures: 0 };
    this.watches.set(nameOf(object), watch);
    void this.look(watch);
  }

  release(object: ExternalObject): void {
    const watch = this.watches.get(nameOf(object));
    if (!watch) return;
    watch.users -= 1;
    if (watch.users === 0) this.stop(watch);
  }

  end(): void {
    this.ended = true;
    for (const watch of this.watches.values()) this.stop(watch);
  }

  private stop(watch: Watch): void {
    clearTimeout(watch.timer);
    watch.ending.abort();
    this.watches.delete(nameOf(watch.object));
    const { connectionId } = watch.object;
    if (![...this.watches.values()].some(({ object }) => object.connectionId === connectionId))
      this.turns.delete(connectionId);
  }

  /** Never rejects; arranges the next look itself, so that a slow database is not asked more than it answers. */
  private async look(watch: Watch): Promise<void> {
    const { object, ending } = watch;
    try {
      const found = await this.turnOf(object).run(() => {
        ending.signal.throwIfAborted();
        return this.digestOf(object, ending.signal);
      });
      if (ending.signal.aborted) return;
      this.found(watch, found);
    } catch (error) {
      if (ending.signal.aborted) return;
      this.failed(watch, error);
    }
    const pause = Math.min(this.everyMs * 2 ** watch.failures, Math.max(this.everyMs, MAX_PAUSE_MS));
    watch.timer = setTimeout(() => void this.look(watch), pause);
    watch.timer.unref();
  }

  private found(watch: Watch, found: string): void {
    // What changed between the first who came and a first look that failed, nobody knows.
    const isAnother = watch.known === undefined ? watch.failures > 0 : watch.known !== found;
    watch.known = found;
    watch.failures = 0;
    if (isAnother) this.changed(watch.object);
  }

  /** One line when it begins to fail. */
  private failed(watch: Watch, error: unknown): void {
    watch.failures += 1;
    if (watch.failures > 1) return;
    const { connectionId } = watch.object;
    const why = error instanceof Problem ? { code: error.code } : { err: error };
    this.logger.warn({ msg: 'An external object that is followed cannot be looked at.', connectionId, ...why });
  }

  private turnOf({ connectionId }: ExternalObject): Gate {
    const gate = this.turns.get(connectionId) ?? new Gate(1);
    this.turns.set(connectionId, gate);
    return gate;
  }
}

const nameOf = ({ connectionId, name }: ExternalObject): string => `${connectionId}:${name}`;
