import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { WireGuard } from './wire-guard.js';

/**
 * The driver's only way out. It connects to a socket file that nobody else can open, and each connection is passed on to the
 * server by a socket that was judged, encrypted here, through a {@link WireGuard}. So whatever the driver does, it can reach nothing else.
 */
export class Relay {
  private readonly links = new Set<Socket>();
  private readonly server = createServer((driver) => this.pass(driver));
  private readonly watchers = new Set<(failure: Error) => void>();

  private constructor(
    private readonly folder: string,
    private readonly target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {}

  static async open(target: ConnectionTarget, limits: ExternalLimits, outbound: Outbound): Promise<Relay> {
    // A folder that only this user can enter.
    const relay = new Relay(await mkdtemp(path.join(tmpdir(), 'lt-mongo-')), target, limits, outbound);
    await new Promise<void>((resolve, reject) => relay.server.once('error', reject).listen(relay.path, resolve));
    relay.server.unref();
    return relay;
  }

  /** The driver takes a name with this ending for a file. */
  get path(): string {
    return path.join(this.folder, 'server.sock');
  }

  /** Calls back with why a connection could not be made, or was cut; @returns what ends it. */
  watch(watcher: (failure: Error) => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  async close(): Promise<void> {
    for (const link of this.links) link.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private pass(driver: Socket): void {
    this.keep(driver);
    this.connect().then(
      (server) => this.join(driver, server),
      (error: unknown) => {
        this.failed(error as Error);
        driver.destroy();
      },
    );
  }

  private join(driver: Socket, server: Socket): void {
    const guard = new WireGuard(Math.max(this.limits.maxBytes, LARGEST_DOCUMENT) + SLACK);
    const ended = (error?: Error | null): void => {
      // What the guard refused is told; that somebody hung up the driver sees for itself.
      if (error?.name === 'Problem') this.failed(error);
      driver.destroy();
      server.destroy();
    };
    if (driver.destroyed) return void server.destroy();
    pipeline(driver, guard.requests, server, ended);
    pipeline(server, guard.replies, driver, ended);
  }

  private async connect(): Promise<Socket> {
    const { host, port, tls } = this.target;
    const plain = this.outbound.socket();
    this.keep(plain);
    const timer = setTimeout(() => plain.destroy(timedOut()), this.limits.connectMs);
    try {
      await when(plain, 'connect', () => plain.connect(port, host));
      plain.setNoDelay(true);
      if (tls.mode === 'disable') return plain;
      const secure = connectTls({
        socket: plain,
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        rejectUnauthorized: tls.mode === 'verify-full',
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      });
      this.keep(secure);
      await when(secure, 'secureConnect');
      return secure;
    } finally {
      clearTimeout(timer);
    }
  }

  private keep(socket: Socket): void {
    this.links.add(socket);
    socket.on('close', () => this.links.delete(socket)).on('error', () => socket.destroy());
  }

  private failed(error: Error): void {
    for (const watcher of [...this.watchers]) watcher(error);
  }
}

/** One document can be so large, of which only a part may be asked for. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;
/** What is around the documents of an answer. */
const SLACK = 64 * 1024;

const timedOut = (): Error => Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });

/** Until the event; an error, or being closed, comes instead. */
function when(socket: Socket, event: 'connect' | 'secureConnect', begin?: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () =>
      reject(Object.assign(new Error('closed before it was connected'), { code: 'ECONNRESET' })),
    );
    begin?.();
  });
}
