/**
 * The soak: two nodes do a bit of everything for half an hour while sockets come and go. Then the load ends, and all that it made them hold has to be
 * given back; memory must not have grown on the way; nothing may have failed, and nobody may have missed anything.
 */
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Told } from '../../scripts/lib/project.mjs';
import { killAll, start } from '../children.mjs';
import { connectExternal } from './external.mjs';
import { install } from './installation.mjs';
import { notBack } from './judge.mjs';
import { look } from './measures.mjs';
import { startReceiver } from './receiver.mjs';
import { print, verdict } from './report.mjs';

const HELP = `npm run soak -- [options]
  --minutes 30         length of the load
  --seed N             what is done in which order
  --per-second 15      actions that begin each second; most are one request, some are several
  --followers 16       sockets that follow tables and views, come, go and resume
  --nodes 2            nodes; more than one need redis-server
  --warm-up 60         seconds of the same load before the figures that everything is compared with
  --rest 75            seconds that may pass after the load until everything is given back
  --samples <file>     append each sample to a file, one JSON a line
  --heaps <folder>     write heap snapshots of the last node before and after the load there; they cost it memory`;

const EVERY_MS = 10_000;
const MOST_SAID = 20;

export async function main() {
  const options = read();
  if (options === undefined) return 0;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'live-tables-soak-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user, who has to get in
  let at;
  process.once('exit', () => {
    killAll();
    at?.redis?.stop();
    at?.postgres.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])
    process.once(signal, () => process.exit(code));
  at = await install(folder, options.nodes);
  const outcome = await soak(at, options);
  const endings = await Promise.all(at.nodes.map((node) => node.stop()));
  await at.postgres.stop();
  print(outcome, options);
  for (const [nr, node] of at.nodes.entries())
    for (const said of errorsIn(node.output()).slice(0, MOST_SAID)) console.log(`node ${nr + 1} said: ${said}`);
  const broken = verdict(outcome, endings);
  for (const line of broken) console.log(`BROKEN  ${line}`);
  console.log(broken.length === 0 ? '\nEverything held.' : `\n${broken.length} rules are broken.`);
  return broken.length === 0 ? 0 : 1;
}

function read() {
  const number = (fallback) => ({ type: 'string', default: String(fallback) });
  const { values } = parseArgs({
    options: {
      minutes: number(30),
      seed: number(Math.trunc(Date.now() / 1000) % 100_000),
      'per-second': number(15),
      followers: number(16),
      nodes: number(2),
      'warm-up': number(60),
      rest: number(75),
      samples: { type: 'string' },
      heaps: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void console.log(HELP);
  const { samples, heaps, ...numbers } = values;
  delete numbers.help;
  for (const [name, text] of Object.entries(numbers))
    if (!(Number(text) > 0)) throw new Told(`--${name} is a number above 0, not ${text}.`);
  return { samples, heaps, ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, Number(text)])) };
}

async function soak(at, options) {
  const admin = await at.postgres.asServer();
  const receiver = await startReceiver();
  const { base, names } = receiver;
  const bases = at.nodes.map((node) => node.base);
  const asked = { perSecond: options['per-second'], followers: options.followers };
  const external = await connectExternal(at.postgres);
  const world = await withLoad((ask) => ask({ do: 'makeWorld', bases, external, receiver: { base, names } }));
  const rest = () => untilBack(at, admin, undefined, options.rest);
  console.log(`Seed ${options.seed}, ${bases.join(' ')}. Warming up …`);
  const warmUp = { ...asked, world, seed: options.seed + 1, ms: options['warm-up'] * 1000 };
  await withLoad((ask) => ask({ do: 'run', ...warmUp }));
  const before = await rest();
  await snapshots(at, options.heaps, 'before');

  const samples = [];
  const sampling = setInterval(async () => {
    const sample = await look(at, admin).catch(console.error);
    if (!sample) return;
    samples.push(sample);
    if (options.samples) appendFileSync(options.samples, `${JSON.stringify(sample)}\n`);
    console.log(line(sample, samples[0]));
  }, EVERY_MS);
  const load = await withLoad((ask) =>
    ask({ do: 'run', ...asked, world, seed: options.seed, ms: options.minutes * 60_000 }),
  );
  clearInterval(sampling);
  console.log('The load has ended. Resting …');
  const begun = Date.now();
  const after = await untilBack(at, admin, before.look, options.rest);
  const backAfter = Date.now() - begun;
  await snapshots(at, options.heaps, 'after');
  const webhooks = receiver.result();
  receiver.close();
  await admin.end();
  return { samples, before: before.look, after: after.look, left: after.left, backAfter, load, webhooks };
}

/** The load in a process of its own, which ends behind its work. */
async function withLoad(work) {
  const load = await start('soak/load.mjs');
  try {
    return await work(load.ask);
  } finally {
    await load.stop('SIGKILL');
  }
}

/** Looks until everything is as it was before, or the time is over. Without a before, waits for as long. */
async function untilBack(at, admin, before, seconds) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(5_000, until - Date.now()))));
    const now = await look(at, admin);
    const left = before ? notBack(before, now) : ['–'];
    if (left.length === 0 || Date.now() >= until) return { look: now, left: before ? left : [] };
  }
}

async function snapshots({ nodes }, folder, when) {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await nodes.at(-1).ask({ do: 'snapshot', file: path.resolve(folder, `${when}.heapsnapshot`) });
}

/** Lines of a log that say what went wrong inside. */
const errorsIn = (log) => log.split('\n').filter((text) => /"level":"(error|fatal)"/.test(text));

const line = ({ at, nodes, postgres, redis }, first) =>
  [
    `${String(Math.round((at - first.at) / 1000)).padStart(5)} s`,
    ...nodes.map(
      ({ rss, heap, files, sockets, pool, timers, lag }) =>
        `RSS ${rss.toFixed(0)} heap ${heap.toFixed(1)} MB files ${files} sockets ${sockets} pool ${pool} timers ${timers} lag ${lag.p99.toFixed(0)} ms`,
    ),
    `PostgreSQL ${postgres}`,
    ...(redis ? [`Redis ${redis.clients} (${redis.keys} keys)`] : []),
  ].join(' | ');
