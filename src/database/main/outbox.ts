import { Injectable } from '@nestjs/common';
import { DataSource, In, LessThan } from 'typeorm';
import type { Id } from '../../common/index.js';
import { OutboxEntity } from './outbox.entity.js';

/** The events that wait to be published. {@link AuditedTransaction} puts them in; here they are taken out. */
@Injectable()
export class Outbox {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Hands up to `count` events that are older than this to `publish`, oldest first, and forgets them; if it throws, they stay.
   * Nodes that take at once share the events. Returns how many it were.
   */
  take(olderThanMs: number, count: number, publish: (event: OutboxEntity) => void): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const events = await manager.find(OutboxEntity, {
        where: { at: LessThan(new Date(Date.now() - olderThanMs)) },
        order: { at: 'ASC', id: 'ASC' },
        take: count,
        lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
      });
      for (const event of events) publish(event);
      if (events.length > 0) await manager.delete(OutboxEntity, { id: In(events.map((event) => event.id)) });
      return events.length;
    });
  }

  /** How many events wait, and for how long the oldest has, in seconds. */
  async backlog(): Promise<{ readonly events: number; readonly oldestSeconds: number }> {
    const oldest = await this.dataSource.manager.findOne(OutboxEntity, { where: {}, order: { at: 'ASC' } });
    if (!oldest) return { events: 0, oldestSeconds: 0 };
    const events = await this.dataSource.manager.count(OutboxEntity);
    return { events, oldestSeconds: Math.max(0, Date.now() - oldest.at.getTime()) / 1_000 };
  }

  /** Forgets events that were published. */
  async forget(ids: readonly Id[]): Promise<void> {
    await this.dataSource.manager.delete(OutboxEntity, { id: In([...ids]) });
  }
}
