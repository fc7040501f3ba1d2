import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterThisFile, freePort, ownFolder, testRun } from './run.js';
import { waitFor } from './wait-for.js';

/** A Redis that nobody else uses, on a private port. */
export interface TestRedis {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Ends it at once; what it held is lost. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  /** It keeps its connections and answers nobody. */
  hang(): void;
  resume(): void;
}

interface RedisOptions {
  readonly started?: boolean;
  /** Settings of Redis over those of the harness. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Makes one; `started: false` leaves it down until `start()`. It ends after the tests of this file. */
export async function redis({ started = true, more = {} }: RedisOptions = {}): Promise<TestRedis> {
  const { redisServer } = testRun();
  if ('missing' in redisServer) throw new Error(redisServer.missing);
  const folder = ownFolder('redis');
  const port = await freePort();
  let child: ChildProcess | undefined;

  const start = async () => {
    const options = {
      port,
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      dir: folder,
      logfile: path.join(folder, 'log'),
      ...more,
    };
    const started = spawn(
      redisServer.path,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      {
        stdio: 'ignore',
        cwd: folder,
      },
    );
    child = started;
    writeFileSync(path.join(folder, 'pid'), String(started.pid));
    await waitFor(() => answers(port), 10_000);
  };
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (ending?.exitCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await ended;
  };
  afterThisFile(kill);
  if (started) await start();
  return {
    host: '127.0.0.1',
    port,
    start,
    kill,
    hang: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
