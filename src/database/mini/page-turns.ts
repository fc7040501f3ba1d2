import os from 'node:os';

/** From its begin on so long, a page is taken for one that works; one that takes longer waits for a disk or a lock, or is a large one. */
const SHORT_MS = 5;
/** As long as the pool lets wait for a connection. */
const PATIENCE_MS = 5_000;

interface Turn {
  readonly begunAt: number;
}

interface Waiting {
  readonly askedAt: number;
  readonly begin: (turn: Turn) => void;
  readonly giveUp: (error: Error) => void;
}

/** Whether the database works on the cores that this server works on, by the host or socket folder that it is connected by. */
export const isOnThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.') || host.startsWith('/');

/**
 * How many pages a PostgreSQL on this machine makes for a node at one time. Pages keep a core each busy: more of them than the cores can work at
 * take the cores from each other, their caches, and the server's one thread its own. One that has run for 5 ms does not count any more, so that
 * slow ones hold nobody up for longer.
 */
export class PageTurns {
  /** By when they began; the first began first. */
  private readonly running = new Set<Turn>();
  private readonly line = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly most = Math.max(4, 2 * os.availableParallelism())) {}

  /** @throws Error as the pool's own where nobody's turn came for 5 seconds */
  begin(): Turn | Promise<Turn> {
    if (this.line.size === 0 && this.running.size < this.most) return this.take();
    return new Promise((begin, giveUp) => {
      this.line.add({ askedAt: performance.now(), begin, giveUp });
      this.timer ??= setTimeout(this.look, SHORT_MS);
    });
  }

  /** To be said of each that began, once. */
  end(turn: Turn): void {
    if (this.running.delete(turn)) this.goOn();
  }

  private take(): Turn {
    const turn = { begunAt: performance.now() };
    this.running.add(turn);
    return turn;
  }

  private goOn(): void {
    for (const waiting of this.line) {
      if (this.running.size >= this.most) return;
      this.line.delete(waiting);
      waiting.begin(this.take());
    }
  }

  private readonly look = (): void => {
    this.timer = undefined;
    const now = performance.now();
    for (const turn of this.running) {
      if (now - turn.begunAt < SHORT_MS) break;
      this.running.delete(turn);
    }
    for (const waiting of this.line) {
      if (now - waiting.askedAt < PATIENCE_MS) break;
      this.line.delete(waiting);
      waiting.giveUp(new Error('timeout exceeded when trying to connect'));
    }
    this.goOn();
    if (this.line.size > 0) this.timer = setTimeout(this.look, SHORT_MS);
  };
}
