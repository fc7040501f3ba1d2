import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  openDataDirectory,
  openSecrets,
  rememberPort,
  type GeneratedSecrets,
  type PostgresSettings,
} from '../../config/index.js';
import { PortTaken, StillEnding, createCluster, launch, resetSuperuser } from './cluster.js';
import { DATABASES, acceptsSuperuser, ensureDatabases } from './databases.js';
import { EmbeddedError } from './embedded-error.js';
import { holderOf, lockFolder } from './folder-lock.js';
import { freePort } from './free-port.js';
import { findHome, type Home } from './home.js';
import { clearLeftovers, runningPostmaster, stopPostmaster } from './postmaster.js';

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly poolSizes: { readonly main: number; readonly mini: number };
  /** Takes the few lines that a person should read. */
  readonly say: (line: string) => void;
}

/** The embedded PostgreSQL of one data folder, running. */
export interface EmbeddedDatabases {
  readonly main: PostgresSettings;
  readonly mini: PostgresSettings;
  readonly port: number;
  /** Tells a second start in the same folder where this one answers. */
  announce(address: string): void;
  /** Stops the server in order, in about `ms` at most. May be called twice. */
  stop(ms?: number): Promise<void>;
}

/** Ports that newcomers rarely use for something else; the first start tries it, the next ones the last that worked. */
const FIRST_PORT = 54_329;

/**
 * Brings up the PostgreSQL of a data folder: makes it on the first call, cleans up after a kill, restarts it should it die.
 * Throws {@link EmbeddedError} or `DataDirectoryError`, each with one sentence that says what to do.
 */
export async function startEmbedded({ dataDir, poolSizes, say }: EmbeddedOptions): Promise<EmbeddedDatabases> {
  openDataDirectory(dataDir);
  const lock = lockFolder(dataDir);
  try {
    const secrets = openSecrets(dataDir);
    const home = await prepared(dataDir, secrets, say);
    const { port, child } = await launchOnFreePort(home, secrets.postgres.port, say);
    const server = new Server(home, port, child, say);
    try {
      await signedIn(home, secrets, server);
      await ensureDatabases(secrets.postgres, port);
      rememberPort(dataDir, secrets, port);
    } catch (error) {
      await server.stop();
      throw error;
    }
    const stop = async (ms?: number) => {
      await server.stop(ms);
      lock.release();
    };
    return { ...settingsOf(secrets, port, poolSizes), port, announce: (address) => lock.announce(address), stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** For a command beside a server: uses the databases that a running server keeps up, else starts them for itself. */
export async function useEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabases> {
  const cluster = path.join(options.dataDir, 'postgres');
  if (!holderOf(options.dataDir) || !existsSync(cluster)) return startEmbedded(options);
  const running = runningPostmaster(findHome(options.dataDir).cluster);
  if (!running?.ready)
    throw new EmbeddedError('The server in this folder is just starting or stopping: try again in a moment.');
  const settings = settingsOf(openSecrets(options.dataDir), running.port, options.poolSizes);
  return { ...settings, port: running.port, announce: () => undefined, stop: () => Promise.resolve() };
}

async function prepared(dataDir: string, secrets: GeneratedSecrets, say: EmbeddedOptions['say']): Promise<Home> {
  const home = findHome(dataDir);
  if (!existsSync(home.cluster)) {
    createCluster(home, secrets.postgres.superuser);
    if (home.link !== home.cluster)
      say(
        `PostgreSQL runs as ${home.account?.name ?? 'another user'}, who cannot enter this folder: its data is in ${home.cluster}.`,
      );
  }
  if ((await clearLeftovers(home.cluster)) === 'stopped')
    say('Stopped the PostgreSQL that an earlier run had left behind.');
  return home;
}

/** Half a minute of patience with a killed server's remains; five other ports. */
const ATTEMPTS = { StillEnding: 100, PortTaken: 5 };

async function launchOnFreePort(home: Home, lastPort: number, say: EmbeddedOptions['say']) {
  const failed = { StillEnding: 0, PortTaken: 0 };
  for (;;) {
    const port = await freePort(failed.PortTaken === 0 ? lastPort || FIRST_PORT : 0);
    try {
      return { port, child: await launch(home, port, say) };
    } catch (error) {
      if (!(error instanceof PortTaken || error instanceof StillEnding)) throw error;
      const kind = error instanceof PortTaken ? 'PortTaken' : 'StillEnding';
      if (++failed[kind] > ATTEMPTS[kind]) throw error;
      if (kind === 'StillEnding') await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** The passwords are ours to know: after `secrets.json` was lost, the cluster is taught the new one. */
async function signedIn(home: Home, secrets: GeneratedSecrets, server: Server): Promise<void> {
  if (await acceptsSuperuser(secrets.postgres, server.port)) return;
  await server.paused(() => resetSuperuser(home, secrets.postgres.superuser));
}

function settingsOf(secrets: GeneratedSecrets, port: number, poolSizes: EmbeddedOptions['poolSizes']) {
  const { host, username, password } = secrets.postgres;
  const shared = { host, port, username, password, tls: false };
  return {
    main: { ...shared, database: DATABASES.main, poolSize: poolSizes.main },
    mini: { ...shared, database: DATABASES.mini, poolSize: poolSizes.mini },
  };
}

/** Keeps one PostgreSQL up until it is told to stop. */
class Server {
  private stopping = false;
  private reviving: Promise<void> = Promise.resolve();
  private readonly atExit = () => {
    // The last resort of a process that ends without stop(): a fast shutdown needs nobody to wait for it.
    if (!this.stopping && this.child.exitCode === null) this.child.kill('SIGINT');
  };

  constructor(
    private readonly home: Home,
    readonly port: number,
    private child: ChildProcess,
    private readonly say: EmbeddedOptions['say'],
  ) {
    process.once('exit', this.atExit);
    this.watch();
  }

  async stop(ms?: number): Promise<void> {
    this.stopping = true;
    process.removeListener('exit', this.atExit);
    await this.reviving;
    if (this.child.pid !== undefined) await stopPostmaster(this.child.pid, this.home.cluster, ms);
  }

  /** Does something that needs the server down. */
  async paused(work: () => void): Promise<void> {
    await this.stop();
    work();
    this.child = await launch(this.home, this.port, this.say);
    this.stopping = false;
    process.once('exit', this.atExit);
    this.watch();
  }

  private watch(): void {
    this.child.once('exit', () => {
      if (!this.stopping) this.reviving = this.revive();
    });
  }

  /** Nobody else would bring it back; connection pools find it again on the same port. */
  private async revive(wait = 200): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.stopping) return;
    try {
      await clearLeftovers(this.home.cluster);
      this.child = await launch(this.home, this.port, this.say);
      this.watch();
      this.say('The embedded PostgreSQL had ended unexpectedly and was started again.');
    } catch (error) {
      this.say(`The embedded PostgreSQL does not come back yet. ${messageOf(error)}`);
      await this.revive(Math.min(wait * 2, 2_000));
    }
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
