import { once } from 'node:events';
import net from 'node:net';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { banner } from './banner.js';
import { isForPeople, migrate, prepareGround, type Ground } from './boot.js';
import type { AppConfig } from './config/index.js';
import { guardProcess } from './process-guard.js';
import { startTracing, type Tracing } from './tracing/index.js';

/** The server as a program: brings its ground, migrates, listens, and takes everything down again in order. */

/** Under the ten seconds that container platforms grant before they kill. */
const STOP_WITHIN_MS = 9_000;
const DATABASE_STOP_MS = 2_000;
/** Within the time for the databases: nobody waits for traces. */
const TRACES_STOP_MS = 1_500;
/**
 * Connections that may wait to be accepted; the kernel caps it (Linux: 4,096). Past Node's own 511 the handshakes of a rush are
 * dropped, and everybody's next connection takes the second or more after which TCP tries again.
 */
const BACKLOG = 4_096;

/** A start failure that is told in one sentence. */
class StartError extends Error {}

let ground: Ground | undefined;
let app: NestFastifyApplication | undefined;
let tracing: Tracing | undefined;
let starting = true;
let wish: number | undefined;
let stopping: Promise<void> | undefined;

const stopWished = () => wish !== undefined;

/** Asks for the end of the process; while it is still starting, the end comes at the next safe point. */
function requestStop(code: number): void {
  wish ??= code;
  if (!starting) stopping ??= stop(wish);
}

/** Requests under way are answered, sockets told, our own databases stopped, in this order. */
async function stop(code: number): Promise<void> {
  const deadline = Date.now() + STOP_WITHIN_MS;
  setTimeout(() => process.exit(code), STOP_WITHIN_MS + 500).unref();
  try {
    await Promise.race([app?.close(), after(STOP_WITHIN_MS - DATABASE_STOP_MS)]);
    await Promise.all([tracing?.stop(TRACES_STOP_MS), ground?.embedded?.stop(deadline - Date.now())]);
  } catch (error) {
    new Logger('Stop').error('Not everything could be stopped in order', error);
  }
  process.exit(code);
}

async function start(): Promise<void> {
  ground = await prepareGround(process.env, say);
  const { config, embedded } = ground;
  await tryPort(config);
  if (stopWished()) return;
  // Loaded while the databases migrate: the application is most of the program.
  const [{ createApp }, { Metrics }] = await Promise.all([
    import('./app.setup.js'),
    import('./common/metrics/index.js'),
    migrate(config),
  ]);
  if (stopWished()) return;
  // Before the application, whose log and server want to know.
  tracing = await startTracing(config);
  app = await createApp(config);
  app.get(Metrics).addProcess();
  await app.listen({ port: config.port, host: config.host, backlog: BACKLOG });
  const address = await app.getUrl();
  embedded?.announce(address);
  if (config.environment === 'production')
    new Logger('Start').log(`${config.name} ${config.version} answers at ${address}`);
  else say(banner(address, config));
  // Its path may hold a key.
  if (config.tracing) new Logger('Start').log(`Traces go to ${new URL(config.tracing.url).host}`);
  // For a process manager that waits for it (cluster, PM2).
  process.send?.({ ready: address });
}

/** Tried before anything slow is done, and before the framework would log the failure in its own words. */
async function tryPort({ host, port }: AppConfig): Promise<void> {
  const probe = net.createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new StartError(
        `Port ${port} is in use by another program: stop that one, or choose another port (PORT=${port + 1} npm start).`,
      );
    if (code === 'EACCES') throw new StartError(`This user may not listen on port ${port}: choose a PORT above 1023.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartError(
        `HOST=${host} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface.`,
      );
    throw error;
  } finally {
    probe.close();
  }
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref());

guardProcess(() => requestStop(1));
// Not once: Ctrl-C reaches this process directly and through npm, and the second must not cut the first short.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => requestStop(0));

// npm passes a signal on to the shell in between only, which dies without telling anybody: its end is the signal.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) requestStop(0);
  }, 500).unref();
}

try {
  await start();
} catch (error) {
  const told = error instanceof StartError || isForPeople(error);
  process.stderr.write(
    told
      ? `${error.message}\n`
      : `The server could not start: ${String(error instanceof Error ? error.stack : error)}\n`,
  );
  wish = 1;
}
starting = false;
if (wish !== undefined) requestStop(wish);
