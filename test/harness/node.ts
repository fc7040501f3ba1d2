import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../src/config/index.js';
import { afterThisFile, ownFolder, testRun } from './run.js';
import { serverEnvironment, type ServerOptions } from './settings.js';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ms: number;
}

/** The built server as a process of its own. */
export interface TestNode {
  readonly base: string;
  readonly pid: number;
  /** All that it printed so far. */
  output(): string;
  /** Ends it as a power cut would. */
  kill9(): Promise<Ending>;
  /** Asks it to stop, as an orchestrator does. */
  term(): Promise<Ending>;
  pause(): void;
  resume(): void;
  readonly ended: Promise<Ending>;
}

/** Starts `node dist/main.js`. Rejects with its output when it ends before it is ready. */
export async function startNode(options: ServerOptions = {}): Promise<TestNode> {
  ensureBuilt();
  const node = await spawnServer(await serverEnvironment(options));
  const base = await Promise.race([node.ready, node.ended.then(() => undefined)]);
  if (base === undefined) throw new Error(`the server ended before it was ready:\n${node.output()}`);
  return { ...node, base };
}

/** Once in each run; after `npm test`, which has built already, it only looks at all sources. */
export function ensureBuilt(): void {
  const mark = path.join(testRun().folder, 'built');
  if (existsSync(mark)) return;
  execFileSync(process.execPath, [path.join(projectRoot, 'scripts/build.mjs'), '--if-stale'], { stdio: 'pipe' });
  writeFileSync(mark, '');
}

/** The same process without waiting for it to be ready: for starts that are meant to fail. */
export function spawnServer(
  env: Readonly<Record<string, string>>,
): Promise<Omit<TestNode, 'base'> & { readonly ready: Promise<string> }> {
  const folder = ownFolder('node');
  const child = spawn(process.execPath, [path.join(projectRoot, 'dist/main.js')], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  writeFileSync(path.join(folder, 'pid'), String(child.pid));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  let asked = Date.now();
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ms: Date.now() - asked }));
  });
  const ready = new Promise<string>((resolve) => {
    child.on('message', (message) => resolve((message as { readonly ready: string }).ready));
  });
  const end = (signal: NodeJS.Signals) => {
    asked = Date.now();
    child.kill(signal);
    return ended;
  };
  afterThisFile(() => (child.exitCode === null && child.signalCode === null ? end('SIGKILL') : undefined));
  return Promise.resolve({
    pid: child.pid ?? 0,
    output: () => printed,
    kill9: () => end('SIGKILL'),
    term: () => end('SIGTERM'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    ended,
    ready,
  });
}
