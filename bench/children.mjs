/** Every process that the benchmark starts, so that all of them end with it, however it ends. */
import { fork } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const running = new Set();
const here = import.meta.dirname;

/** Starts a Node program; rejects with its output when it ends before its first message, which is given back as `ready`. */
export async function start(file, { env = {}, cwd = os.tmpdir(), args = [], execArgv = [] } = {}) {
  const child = fork(path.resolve(here, file), args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    execArgv,
    stdio: ['ignore', process.env.BENCH_VERBOSE ? 'inherit' : 'pipe', 'inherit', 'ipc'],
  });
  running.add(child);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  void ended.then(() => running.delete(child));
  const ready = await Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    ended.then(() => undefined),
  ]);
  if (ready === undefined) throw new Error(`${file} ended before it was ready:\n${output}`);
  return {
    pid: child.pid,
    ready,
    output: () => output,
    ask: (message) => ask(child, ended, message, () => output),
    /** @returns the exit code; null when a signal ended it */
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const patience = setTimeout(() => child.kill('SIGKILL'), 12_000);
      const code = await ended;
      clearTimeout(patience);
      return code;
    },
  };
}

let questions = 0;

/** One message, one answer. */
function ask(child, ended, message, output) {
  const id = ++questions;
  return new Promise((resolve, reject) => {
    const listen = (answer) => {
      if (answer.id !== id) return;
      child.off('message', listen);
      if (answer.error) reject(new Error(answer.error));
      else resolve(answer.result);
    };
    child.on('message', listen);
    void ended.then(() => reject(new Error(`process ended:\n${output()}`)));
    child.send({ id, ...message });
  });
}

/** In a child: answers each message by the function of its `do`. */
export function serve(works) {
  process.on('message', async ({ id, do: name, ...options }) => {
    try {
      process.send({ id, result: await works[name](options) });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group; the parent decides about the order.
  process.on('SIGINT', () => undefined);
}

export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/**
 * Milliseconds of processor time that each of these processes has used so far, by process id; empty where there is no /proc.
 * From the scheduler's own account (nanoseconds): the clock of /proc/pid/stat ticks in hundredths of a second only.
 */
export function cpuOf(pids) {
  return new Map(pids.flatMap((pid) => threadsOf(pid).map((file) => [file, millisecondsIn(file)])));
}

/** What was used between two looks; a process that began in between counts from its start, one that ended is left out. */
export const cpuBetween = (before, after) =>
  [...after].reduce((sum, [file, ms]) => sum + ms - (before.get(file) ?? 0), 0);

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  } catch {
    return [];
  }
}

function millisecondsIn(file) {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return 0; // it ended in between
  }
}

/** Resident memory of a process, MB. */
export function rssOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return undefined;
  }
}
