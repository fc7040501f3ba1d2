import { Problem } from '../../common/index.js';

/** A bounded number of things at once; the others wait in order, for a stated time at most. */
export class Slots {
  private readonly waiting = new Set<() => void>();

  constructor(
    private free: number,
    private readonly waitMs: number,
  ) {}

  /** Throws `overloaded` when there was no free slot in time. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.giveBack();
    }
  }

  private async take(): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const next = () => {
        clearTimeout(timer);
        this.waiting.delete(next);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(next);
        reject(new Problem('overloaded', { headers: { 'retry-after': '1' } }));
      }, this.waitMs);
      this.waiting.add(next);
    });
  }

  /** To whoever waits longest, directly: nobody who comes now gets in between. */
  private giveBack(): void {
    const [next] = this.waiting;
    if (next) next();
    else this.free++;
  }
}
