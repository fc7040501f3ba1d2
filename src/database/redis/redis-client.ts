import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { inSpan, SpanKind } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { RedisConnection } from './connection.js';
import { KeyNode, keyPrefix } from './key-node.js';

/** Commands that may wait for Redis' answer at once; beyond it they are dropped, so that a hung Redis costs no memory. */
const MAX_IN_FLIGHT = 1_000;

/** Of keys and messages nothing is told: they name people and tables. */
const PUBLISH = { 'db.system.name': 'redis', 'db.operation.name': 'PUBLISH' };
const EVALUATE = { 'db.system.name': 'redis', 'db.operation.name': 'EVAL' };

export type ChannelListener = (message: string) => void;

export interface RedisStatus {
  /** True also when no Redis is configured: nothing is missing then. */
  readonly up: boolean;
  /** Milliseconds of one PING; absent when down or not configured. */
  readonly responseTime?: number;
  /** Why it is not up, where that is known. */
  readonly reason?: string;
}

/**
 * Redis as this product uses it: hints between nodes and counts, never the only copy of a truth. Every method works, and
 * returns soon, whether Redis is absent, hanging, restarting or not configured at all.
 */
@Injectable()
export class RedisClient implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly address: string;
  private readonly publisher: RedisConnection | undefined;
  private readonly subscriber: RedisConnection | undefined;
  /** Where scripts run. */
  private readonly keyNode: KeyNode | undefined;
  /** Whether it was asked what it is. */
  private known = false;
  /** Why what answers there is of no use; it is left alone then. */
  private useless: string | undefined;
  private readonly listeners = new Map<string, ChannelListener>();
  private inFlight = 0;
  private up: boolean | undefined;
  private stopped = false;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const settings = config.redis;
    this.address = settings ? `${settings.host}:${settings.port}` : 'not configured';
    if (!settings) return;
    const prefix = keyPrefix(config.mainDb.database);
    const onDown = (reason: string): void => this.report(false, reason);
    this.publisher = new RedisConnection(settings, 'publisher', { onDown, onReady: () => void this.look(prefix) });
    this.keyNode = new KeyNode(settings, this.publisher, (node, reason) => {
      this.logger.warn(
        `The node of the Redis Cluster that keeps the counts, ${node}, cannot be reached (${reason}); meanwhile each node of ours counts for itself. Trying again.`,
      );
    });
    this.subscriber = new RedisConnection(settings, 'subscriber', { onDown, onReady: () => this.resubscribe() });
    this.subscriber.client.on('message', (channel: string, message: string) => this.listeners.get(channel)?.(message));
  }

  /** Whether a Redis is configured. */
  get configured(): boolean {
    return this.publisher !== undefined;
  }

  /** Whether it is configured and can be reached, as far as was noticed. */
  get isUp(): boolean {
    return this.up === true;
  }

  onModuleInit(): void {
    this.publisher?.start();
    this.subscriber?.start();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    this.leave();
  }

  /** Sends to everybody who listens on the channel now. Fire and forget: dropped when Redis is down or too far behind. */
  publish(channel: string, message: string): void {
    if (!this.publisher?.ready || this.inFlight >= MAX_IN_FLIGHT) return;
    this.inFlight += 1;
    const { client } = this.publisher;
    void inSpan('redis.publish', PUBLISH, () => client.publish(channel, message), SpanKind.CLIENT)
      .catch(() => undefined)
      .finally(() => (this.inFlight -= 1));
  }

  /**
   * What a Lua script answers; undefined when Redis is down, too far behind, fails or takes longer than `deadlineMs`. Then the
   * script may have run all the same, or may still.
   */
  evaluate(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadlineMs: number,
  ): Promise<unknown> {
    const { keyNode } = this;
    if (!keyNode?.connection.ready || this.inFlight >= MAX_IN_FLIGHT) return Promise.resolve(undefined);
    this.inFlight += 1;
    return inSpan(
      'redis.evaluate',
      EVALUATE,
      () => this.answerOf(keyNode, script, keys, args, deadlineMs),
      SpanKind.CLIENT,
    );
  }

  private answerOf(
    node: KeyNode,
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadlineMs: number,
  ): Promise<unknown> {
    return new Promise((resolve) => {
      // Timers come before input: after a stall of our own the answer may be here already and is read first.
      const deadline = setTimeout(() => setImmediate(resolve, undefined), deadlineMs);
      void node.connection.client
        .eval(script, keys.length, ...keys, ...args)
        .then(resolve, (error: unknown) => {
          node.heed(error);
          resolve(undefined);
        })
        .finally(() => {
          clearTimeout(deadline);
          this.inFlight -= 1;
        });
    });
  }

  /** Listens on a channel, through every reconnect. One listener per channel; it must not throw. */
  subscribe(channel: string, listener: ChannelListener): void {
    this.listeners.set(channel, listener);
    if (this.subscriber?.ready) this.resubscribe();
  }

  /** For health checks; answers within about a second, never throws. */
  async status(): Promise<RedisStatus> {
    if (!this.publisher) return { up: true };
    if (this.useless !== undefined) return { up: false, reason: this.useless };
    const started = performance.now();
    try {
      await this.publisher.client.ping();
      return { up: true, responseTime: Math.round((performance.now() - started) * 100) / 100 };
    } catch {
      return { up: false };
    }
  }

  /** Behind every connect: what is it that answers there? Whoever may not ask (ACL) finds out by the first script. */
  private async look(prefix: string): Promise<void> {
    const { publisher, keyNode } = this;
    if (!publisher) return;
    const told = await publisher.client.info('server').catch(() => '');
    if (/^redis_mode:sentinel/m.test(told)) {
      this.useless = 'is a Redis Sentinel, which takes no messages and keeps no counts';
      this.up = false;
      this.leave();
      this.logger.error(
        `What answers at ${this.address} ${this.useless}: set REDIS_HOST and REDIS_PORT to the Redis itself, or to a proxy that leads to the present master, and start again. Until then it is as without Redis.`,
      );
      return;
    }
    // In a cluster the first limit of somebody should be counted for all nodes already.
    if (/^redis_mode:cluster/m.test(told))
      await publisher.client.eval('return 1', 1, `${prefix}where`).catch((error: unknown) => keyNode?.heed(error));
    this.known = true;
    this.reportIfComplete();
  }

  private leave(): void {
    for (const each of [this.publisher, this.subscriber, this.keyNode]) each?.stop();
  }

  private resubscribe(): void {
    const channels = [...this.listeners.keys()];
    if (!this.subscriber || channels.length === 0) {
      this.reportIfComplete();
      return;
    }
    this.subscriber.client.subscribe(...channels).then(
      () => this.reportIfComplete(),
      () => this.subscriber?.restart('subscribe failed'),
    );
  }

  private reportIfComplete(): void {
    if (this.publisher?.ready && this.subscriber?.ready && this.known) this.report(true);
  }

  /** One line when it goes, one when it comes back; the attempts in between are silent. */
  private report(up: boolean, reason = ''): void {
    if (this.up === up || this.stopped || this.useless !== undefined) return;
    const first = this.up === undefined;
    this.up = up;
    if (up) this.logger.log(`${first ? 'Connected to' : 'Connected again to'} ${this.address}.`);
    else
      this.logger.warn(
        `Redis at ${this.address} cannot be reached (${reason}); other nodes hear of changes later, nothing is lost. Trying again.`,
      );
  }
}
