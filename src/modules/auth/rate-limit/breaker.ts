/** After a failure nobody tries for a while, and then one does: something that hangs costs one wait per pause, not one per call. */
export class Breaker {
  /** When the next attempt may be made; undefined while all is well. */
  private retryAt: number | undefined;

  constructor(
    private readonly pauseMs: number,
    private readonly now: () => number,
  ) {}

  /** Whether to try now. While broken, a yes is given once per pause. */
  mayTry(): boolean {
    if (this.retryAt === undefined) return true;
    if (this.now() < this.retryAt) return false;
    this.retryAt = this.now() + this.pauseMs;
    return true;
  }

  /** Whether all was well the last time. */
  get isWhole(): boolean {
    return this.retryAt === undefined;
  }

  report(succeeded: boolean): void {
    this.retryAt = succeeded ? undefined : this.now() + this.pauseMs;
  }
}
