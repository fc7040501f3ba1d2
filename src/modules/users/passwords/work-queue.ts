import { Problem } from '../../../common/index.js';

export interface QueueLimits {
  /** Works that run at a time. */
  readonly atOnce: number;
  /** Works that may wait; one more is refused at once. */
  readonly maxWaiting: number;
  /** After so long a work is refused, and not begun any more. Milliseconds. */
  readonly patienceMs: number;
}

/** Lets only so many works run at a time; the others wait in order, only so many and only so long. */
export class WorkQueue {
  private running = 0;
  /** Each begins one that waits; in the order in which they came. */
  private readonly waiting = new Set<() => void>();

  constructor(private readonly limits: QueueLimits) {}

  /** @throws Problem `overloaded` the work was not begun; whatever `work` throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.limits.atOnce) this.running++;
    else await this.turn();
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.running--;
    }
  }

  /** Resolves when somebody who is done hands the turn over. */
  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size >= this.limits.maxWaiting) {
        reject(overloaded());
        return;
      }
      const begin = (): void => {
        clearTimeout(patience);
        this.waiting.delete(begin);
        resolve();
      };
      const patience = setTimeout(() => {
        this.waiting.delete(begin);
        reject(overloaded());
      }, this.limits.patienceMs);
      this.waiting.add(begin);
    });
  }
}

/** Word for word the same for everybody: it depends on nothing but the queue. */
const overloaded = (): Problem =>
  new Problem('overloaded', {
    detail: 'Too many people sign in at this moment; nothing was checked. Try again in a few seconds.',
    headers: { 'retry-after': '5' },
  });
