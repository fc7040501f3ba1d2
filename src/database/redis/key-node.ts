import type { RedisSettings } from '../../config/index.js';
import { RedisConnection } from './connection.js';

/** "MOVED 3999 10.0.0.7:6379": the host may be left out, and an IPv6 address has colons of its own. */
const MOVED = /^MOVED \d+ (.*):(\d+)$/;

/**
 * The node that keeps our keys. It is the Redis that the settings name, unless that is one of a Redis Cluster: then all our keys are in one
 * slot (see {@link keyPrefix}), the node that is asked says which other one has it, and that one is asked from then on. Messages need nothing of the
 * kind: a cluster sends them to all its nodes.
 */
export class KeyNode {
  private stopped = false;
  private other: { readonly address: string; readonly connection: RedisConnection } | undefined;

  constructor(
    private readonly settings: RedisSettings,
    private readonly first: RedisConnection,
    /** Called when that other node cannot be reached, once. */
    private readonly onLost: (address: string, reason: string) => void,
  ) {}

  /** Whom to ask. While another node cannot be reached it is the first one, which knows when a third has taken the keys over. */
  get connection(): RedisConnection {
    return this.other?.connection.ready ? this.other.connection : this.first;
  }

  /** Learns from the error of a command where the keys are. */
  heed(error: unknown): void {
    const [, host = '', port = ''] = MOVED.exec(error instanceof Error ? error.message : '') ?? [];
    const address = `${host === '' ? this.settings.host : host}:${port}`;
    if (this.stopped || port === '' || this.other?.address === address) return;
    this.leave();
    const settings = { ...this.settings, host: address.slice(0, -port.length - 1), port: Number(port) };
    let lost = false;
    const onDown = (reason: string): void => {
      if (!lost && this.other?.address === address) this.onLost(address, reason);
      lost = true;
    };
    const connection = new RedisConnection(settings, 'keys', { onReady: () => (lost = false), onDown });
    this.other = { address, connection };
    connection.start();
  }

  /** For good: an answer that comes later leads nowhere any more. */
  stop(): void {
    this.stopped = true;
    this.leave();
  }

  private leave(): void {
    const { other } = this;
    this.other = undefined;
    other?.connection.stop();
  }
}

/**
 * What the names of all keys of an installation begin with. The braces are Redis Cluster's: keys with the same word in them are in one slot, so that one
 * script may use several. They are few and small.
 */
export const keyPrefix = (database: string): string => `{live-tables:${database}}:`;
