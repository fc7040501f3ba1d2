import { Problem } from '../../../common/index.js';
import type { ExternalLimits } from '../external-engine.js';
import { SessionLost } from './mysql-errors.js';
import type { MysqlSession } from './session.js';

interface Idle {
  readonly session: MysqlSession;
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  readonly go: () => void;
  readonly giveUp: (error: Error) => void;
}

/** For each session so many may wait. */
const WAITING_PER_SESSION = 8;

/** The sessions of one connection: at most so many, kept for a while when nobody uses them; a bounded number of callers waits for one. */
export class SessionPool {
  private readonly idle: Idle[] = [];
  private readonly busy = new Set<MysqlSession>();
  private readonly waiting: Waiter[] = [];
  private taken = 0;
  private closed = false;

  constructor(
    private readonly limits: ExternalLimits,
    private readonly open: (signal?: AbortSignal) => Promise<MysqlSession>,
  ) {}

  /**
   * Lends a session to `work`. One that was idle may have ended without our noticing: then work that can be repeated gets another.
   * @throws Problem `source_busy` where too many wait, or for too long
   */
  async use<T>(
    work: (session: MysqlSession) => Promise<T>,
    { repeatable, signal }: { readonly repeatable: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    await this.turn(signal);
    try {
      const kept = this.takeIdle();
      if (kept) {
        try {
          return await this.lend(kept, work);
        } catch (error) {
          if (!repeatable || !(error instanceof SessionLost) || this.isClosed()) throw error;
        }
      }
      return await this.lend(await this.open(signal), work);
    } finally {
      const next = this.waiting.shift();
      if (next) next.go();
      else this.taken -= 1;
    }
  }

  /** Ends all sessions, also those at work. */
  close(): void {
    this.closed = true;
    for (const { giveUp } of this.waiting.splice(0)) giveUp(closedProblem());
    for (const { session, timer } of this.idle.splice(0)) {
      clearTimeout(timer);
      session.end();
    }
    for (const session of this.busy) session.fail(closedProblem());
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private async lend<T>(session: MysqlSession, work: (session: MysqlSession) => Promise<T>): Promise<T> {
    this.busy.add(session);
    try {
      if (this.isClosed()) throw closedProblem();
      return await work(session);
    } finally {
      this.busy.delete(session);
      if (this.isClosed()) session.end();
      else if (session.usable) this.keep(session);
    }
  }

  /** Waits for its turn. Whoever comes through has a place, and hands it on or gives it back. */
  private async turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.closed) throw closedProblem();
    if (this.taken >= this.limits.maxSessions) return this.queue(signal);
    this.taken += 1;
  }

  private queue(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.waiting.length >= this.limits.maxSessions * WAITING_PER_SESSION) throw new Problem('source_busy');
    return new Promise((resolve, reject) => {
      const leave = (then: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        const at = this.waiting.indexOf(waiter);
        if (at >= 0) this.waiting.splice(at, 1);
        then();
      };
      const waiter: Waiter = { go: () => leave(resolve), giveUp: (error) => leave(() => reject(error)) };
      const aborted = () => waiter.giveUp(signal?.reason as Error);
      const timer = setTimeout(() => waiter.giveUp(new Problem('source_busy')), this.limits.connectMs);
      signal?.addEventListener('abort', aborted);
      this.waiting.push(waiter);
    });
  }

  private takeIdle(): MysqlSession | undefined {
    for (let last = this.idle.pop(); last; last = this.idle.pop()) {
      clearTimeout(last.timer);
      if (last.session.usable) return last.session;
    }
    return undefined;
  }

  private keep(session: MysqlSession): void {
    const timer = setTimeout(() => {
      const at = this.idle.findIndex((each) => each.session === session);
      if (at >= 0) this.idle.splice(at, 1);
      session.end();
    }, this.limits.idleMs);
    timer.unref();
    this.idle.push({ session, timer });
  }
}

const closedProblem = () => new Problem('source_busy', { detail: 'The connection was changed meanwhile: repeat.' });
