/** Every process that the benchmark starts, so that all of them end with it, however it ends. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
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
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const patience = setTimeout(() => child.kill('SIGKILL'), 12_000);
      await ended;
      clearTimeout(patience);
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

const TICKS_PER_SECOND = 100; // USER_HZ, which Linux fixes for everything that it tells user space

/** Milliseconds of processor time that these processes have used so far; undefined where there is no /proc. */
export function cpuOf(pids) {
  try {
    return pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return sum + ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return undefined;
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
