import { Redis } from 'ioredis';
import type { RedisSettings } from '../../config/index.js';

/** Longest wait between two attempts to reconnect, milliseconds. */
const MAX_RETRY_MS = 2_000;
/** A command without an answer after this time has failed, milliseconds. */
const COMMAND_TIMEOUT_MS = 1_000;
/** How often an idle connection is asked whether it is alive; a hung server is noticed within this plus the timeout. */
const HEARTBEAT_MS = 2_000;

export interface ConnectionEvents {
  /** Ready for commands, after the first connect and after every reconnect. */
  readonly onReady: () => void;
  /** Not reachable; called once per failed attempt. `reason` is for the log. */
  readonly onDown: (reason: string) => void;
}

/**
 * One connection that heals itself and never makes anyone wait: nothing is queued while it is down, every command has a
 * deadline, and a server that accepts but does not answer is treated as down.
 */
export class RedisConnection {
  readonly client: Redis;
  private heartbeat: NodeJS.Timeout | undefined;
  private lastError = 'connection closed';

  constructor(settings: RedisSettings, purpose: string, events: ConnectionEvents) {
    this.client = new Redis({
      host: settings.host,
      port: settings.port,
      ...(settings.username === undefined ? {} : { username: settings.username }),
      ...(settings.password === undefined ? {} : { password: settings.password }),
      ...(settings.tls ? { tls: {} } : {}),
      connectionName: `live-tables-${purpose}`,
      lazyConnect: true,
      connectTimeout: MAX_RETRY_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      // Zero: what was in flight when the connection broke fails at once instead of being sent again later.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      retryStrategy: (times) => Math.min(times * 100, MAX_RETRY_MS),
    });
    this.client.on('error', (error: Error) => (this.lastError = error.message));
    this.client.on('close', () => events.onDown(this.lastError));
    this.client.on('ready', () => {
      this.lastError = 'connection closed';
      events.onReady();
    });
  }

  get ready(): boolean {
    return this.client.status === 'ready';
  }

  /** Begins to connect and returns at once. */
  start(): void {
    this.client.connect().catch(() => undefined);
    this.heartbeat = setInterval(() => {
      if (this.ready) this.client.ping().catch(() => this.restart('no answer to PING'));
    }, HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  /** Drops the connection and opens a new one. */
  restart(reason: string): void {
    if (!this.ready) return;
    this.lastError = reason;
    this.client.disconnect(true);
  }

  stop(): void {
    clearInterval(this.heartbeat);
    this.client.disconnect();
  }
}
