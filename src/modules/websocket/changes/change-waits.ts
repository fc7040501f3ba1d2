import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Problem, type AppRequest, type Id } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';

/** Hints may be lost: so often whoever waits looks for himself. */
const LOOK_MS = 1_000;
/** Requests of this node that wait at once. */
const MAX_WAITING = 1_000;

/** Requests that wait for the next change of a table. */
@Injectable()
export class ChangeWaits implements OnModuleInit, OnModuleDestroy {
  private readonly waiting = new Map<Id, Set<() => void>>();
  private count = 0;
  private stopping = false;
  private stopListening: (() => void) | undefined;

  constructor(private readonly bus: EventBus) {}

  onModuleInit(): void {
    this.stopListening = this.bus.on('rows.changed', ({ tableId }) => this.wake(tableId));
  }

  /** Nobody waits for the end of a process: they are answered with what there is. */
  onModuleDestroy(): void {
    this.stopping = true;
    this.stopListening?.();
    for (const tableId of [...this.waiting.keys()]) this.wake(tableId);
  }

  /** Whether nobody is there any more to be answered, or nobody to answer. */
  isOver({ raw }: AppRequest): boolean {
    return this.stopping || raw.destroyed || raw.socket.destroyed;
  }

  /** Resolves when something was changed, or might have been; when the caller goes away; at the latest after `ms`. @throws Problem `overloaded` */
  async next(tableId: Id, { raw }: AppRequest, ms: number): Promise<void> {
    if (this.count >= MAX_WAITING)
      throw new Problem('overloaded', {
        detail: 'Too many requests wait for changes already; ask again without wait.',
        headers: { 'retry-after': '1' },
      });
    this.count++;
    const waiting = this.waiting.get(tableId) ?? new Set();
    this.waiting.set(tableId, waiting);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        raw.socket.off('close', done);
        waiting.delete(done);
        if (waiting.size === 0 && this.waiting.get(tableId) === waiting) this.waiting.delete(tableId);
        this.count--;
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LOOK_MS));
      raw.socket.once('close', done);
      waiting.add(done);
    });
  }

  private wake(tableId: Id): void {
    for (const done of [...(this.waiting.get(tableId) ?? [])]) done();
  }
}
