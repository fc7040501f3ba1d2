import { spawn } from 'node:child_process';
import { inRoot, root, Told } from '../lib/project.mjs';

const START_MS = 180_000;
const STOP_MS = 15_000;

/**
 * The server to use: the one that answers at `base`, if it was named; else the one at the usual address; else one that is
 * started here, exactly as `npm start` does, and stopped by `stop()`.
 */
export async function findOrStartServer(base, say) {
  const stop = () => Promise.resolve();
  if (base !== undefined) {
    if ((await whoAnswers(base)) === 'us') return { base, stop, started: false };
    throw new Told(`No Live Tables server answers at ${base}: start it with npm start, or leave --base out.`);
  }
  const port = Number(process.env.PORT || 3000);
  const usual = `http://localhost:${port}`;
  const answers = port === 0 ? 'somebody else' : await whoAnswers(usual);
  if (answers === 'us') return { base: usual, stop, started: false };
  say('  No server is running: starting one, as npm start does (the first time this takes a minute) …');
  return startServer(answers === 'nobody' ? port : 0);
}

async function whoAnswers(base) {
  try {
    const response = await fetch(`${base}/api/v1/health`, { signal: AbortSignal.timeout(5_000) });
    const health = await response.json();
    return health?.details?.application?.name === 'live-tables-backend' ? 'us' : 'somebody else';
  } catch (error) {
    return error.cause?.code === 'ECONNREFUSED' || error.cause?.errors?.some(({ code }) => code === 'ECONNREFUSED')
      ? 'nobody'
      : 'somebody else';
  }
}

async function startServer(port) {
  const child = spawn(process.execPath, [inRoot('scripts/start.mjs')], {
    cwd: root,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let complaints = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk) => (complaints += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = () => stopServer(child, ended);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => void stop().then(() => process.exit(130)));
  const ready = new Promise((resolve) => child.on('message', (message) => resolve(message.ready)));
  const base = await Promise.race([ready, ended.then(() => undefined), after(START_MS)]);
  if (base !== undefined) return { base, stop, started: true };
  await stop();
  throw new Told(complaints.trim() || 'The server did not start in time: run npm start to see why.');
}

async function stopServer(child, ended) {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());
