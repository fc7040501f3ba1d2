import { Inject, Injectable, Logger } from '@nestjs/common';
import { newId, outsideOfSpans } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { RedisClient } from '../../database/redis/index.js';
import { decodeMessage, encodeMessage } from './message.js';
import type { Topic, Topics } from './topics.js';

export type Listener<T extends Topic> = (payload: Topics[T]) => void | Promise<void>;

/**
 * Tells facts to every listener in this process at once and, when Redis is configured, to the other nodes.
 * Delivery to other nodes is at most once: whoever must not miss a fact reads the truth again on his own clock, too.
 */
@Injectable()
export class EventBus {
  private readonly logger = new Logger(EventBus.name);
  private readonly nodeId = newId();
  private readonly channel: string;
  private readonly listeners = new Map<Topic, Set<(payload: unknown) => void | Promise<void>>>();

  constructor(
    private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    // Named after the main database, so that two products, or two stages of one, can share a Redis.
    this.channel = `live-tables:${config.mainDb.database}:events`;
    if (redis.configured) redis.subscribe(this.channel, (message) => this.receive(message));
  }

  /** Fire and forget: never throws, never blocks; a listener's failure is logged and hinders nobody else. */
  publish<T extends Topic>(topic: T, payload: Topics[T]): void {
    this.deliver(topic, payload);
    if (this.redis.configured) this.redis.publish(this.channel, encodeMessage({ node: this.nodeId, topic, payload }));
  }

  /** Calls `listener` for each such fact, from this node and from others, until the returned function is called. */
  on<T extends Topic>(topic: T, listener: Listener<T>): () => void {
    const listeners = this.listeners.get(topic) ?? new Set();
    // Sound: a payload reaches this set only through `deliver` with the same topic.
    const entry = listener as (payload: unknown) => void | Promise<void>;
    this.listeners.set(topic, listeners.add(entry));
    return () => listeners.delete(entry);
  }

  private receive(text: string): void {
    const message = decodeMessage(text);
    if (message && message.node !== this.nodeId) this.deliver(message.topic, message.payload);
  }

  /** What hears of a fact is no part of the request that told it, and may go on for longer. */
  private deliver(topic: Topic, payload: unknown): void {
    outsideOfSpans(() => this.tell(topic, payload));
  }

  private tell(topic: Topic, payload: unknown): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) {
      try {
        // Only for listeners that are asynchronous: a promise for each of the others would pile up in a burst.
        const pending = listener(payload);
        if (pending) pending.catch((error: unknown) => this.failed(topic, error));
      } catch (error) {
        this.failed(topic, error);
      }
    }
  }

  private failed(topic: Topic, error: unknown): void {
    this.logger.error(`A listener of ${topic} failed.`, error instanceof Error ? error.stack : String(error));
  }
}
