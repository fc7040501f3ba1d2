import { Problem, type Id } from '../../common/index.js';

interface Line {
  running: number;
  /** Each begins, or gives up, one that waits. */
  readonly waiting: (() => void)[];
}

/**
 * Lets only so many works of one table run at a time; the others wait in order, here and not on a connection: those belong
 * to all tables, and works that wait for each other's locks would soon hold every one.
 */
export class Turns {
  private readonly lines = new Map<Id, Line>();

  /** @param patienceMs after so long a work is not begun any more */
  constructor(
    private readonly atOnce: number,
    private readonly patienceMs: number,
  ) {}

  /** @throws Problem `overloaded` the work waited too long and was not begun; whatever `work` throws */
  async run<T>(tableId: Id, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(tableId) ?? { running: 0, waiting: [] };
    this.lines.set(tableId, line);
    if (line.running < this.atOnce) line.running++;
    else await this.turn(line);
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else if (--line.running === 0) this.lines.delete(tableId);
    }
  }

  /** Resolves when somebody who is done hands the turn over. */
  private turn({ waiting }: Line): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(patience);
        resolve();
      };
      const patience = setTimeout(() => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(
          new Problem('overloaded', {
            detail: 'Earlier writes of this table take too long; this one was not begun.',
            headers: { 'retry-after': '1' },
          }),
        );
      }, this.patienceMs);
      waiting.push(begin);
    });
  }
}
