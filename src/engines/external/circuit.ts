import { Problem } from '../../common/index.js';

/** Failures in a row after which nobody tries for a while. */
export const FAILURES = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Keeps callers from waiting for a database that cannot be reached: after {@link FAILURES} in a row, calls are refused at once; behind
 * the pause one caller tries for all. Each failure doubles the pause, up to a minute; a success ends it.
 */
export class Circuit {
  private failures = 0;
  private retryAt = 0;
  private trying = false;

  constructor(private readonly now: () => number = Date.now) {}

  get isBroken(): boolean {
    return this.failures >= FAILURES;
  }

  /** @throws Problem `source_unreachable` with `Retry-After` */
  admit(): void {
    if (!this.isBroken) return;
    const left = this.retryAt - this.now();
    if (left > 0 || this.trying) throw stillUnreachable(Math.max(1, Math.ceil(left / 1_000)));
    this.trying = true;
  }

  /** What became of a call that was admitted. An error that says nothing of whether the database can be reached changes nothing. */
  report(outcome: 'reached' | 'unreachable' | 'unknown'): void {
    this.trying = false;
    if (outcome === 'unknown') return;
    this.failures = outcome === 'reached' ? 0 : this.failures + 1;
    if (!this.isBroken) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failures - FAILURES));
    this.retryAt = this.now() + pause;
  }
}

const stillUnreachable = (seconds: number): Problem =>
  new Problem('source_unreachable', {
    detail: `The external database could not be reached several times; it is tried again in ${seconds} seconds.`,
    headers: { 'Retry-After': String(seconds) },
  });
