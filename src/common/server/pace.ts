import type { FastifyInstance } from 'fastify';

/** Requests that begin in one turn of the event loop; with their answers, some milliseconds of work. */
const PER_TURN = 4;
/** Turns for which connections that arrive go first: Node accepts one of them in each turn. */
const MAX_REST = 32;

/** Lets only so many begin in one turn of the event loop, in the order in which they came. */
export class Pace {
  private waiting: (() => void)[] = [];
  private running = false;
  private rested = 0;

  /** `restless` is asked in each turn: true puts off what waits, for {@link MAX_REST} turns at most. */
  constructor(
    private readonly perTurn: number,
    private readonly restless: () => boolean = () => false,
  ) {}

  enter(begin: () => void): void {
    this.waiting.push(begin);
    if (this.running) return;
    this.running = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    if (this.restless() && this.rested < MAX_REST) this.rested++;
    else {
      this.rested = 0;
      for (const begin of this.waiting.splice(0, this.perTurn)) begin();
    }
    this.running = this.waiting.length > 0;
    if (this.running) setImmediate(() => this.turn());
  }
}

/**
 * Spreads rushes on the routes below a path, however the path of a request is spelled: whoever else calls gets in between two
 * turns, instead of behind a thousand others whose bytes came in the same moment. Costs a quiet caller nothing but the end of the
 * present turn.
 */
export function paceBelow(instance: FastifyInstance, path: string): void {
  let accepted = 0;
  let known = 0;
  instance.server.on('connection', () => accepted++);
  const pace = new Pace(PER_TURN, () => {
    const more = accepted !== known;
    known = accepted;
    return more;
  });
  instance.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.url?.startsWith(path)) pace.enter(done);
    else done();
  });
}
