/** The load of the soak, in a process of its own: when it ends, all that it had open has ended with it. */
import { ApiError, LiveTables } from '../../client/dist/index.js';
import { serve } from '../children.mjs';
import { ACTIONS } from './actions.mjs';
import { randomOf } from './random.mjs';
import { Follower, pause } from './sockets.mjs';
import { makeWorld } from './world.mjs';

/** Requests that are on their way at most; when the nodes are slower than that, less is asked of them. */
const MOST = 24;

async function run({ world, seed, ms, perSecond, followers: count }) {
  const random = randomOf(seed);
  const sessions = await signIn(world);
  const person = () => random.pick(sessions);
  const token = () => person().session.token();
  const follow = new AbortController();
  const followers = makeFollowers(world, count, random, token);
  const following = followers.map((each) => each.follow(follow.signal));
  const copies = sessions.slice(0, 2).map((client) => client.liveTable(world.deals));
  await Promise.all(copies.map((live) => live.presence.set({ mode: 'editing' })));
  const figures = await act(
    { world, random, sessions, owner: sessions[0], person, token, etags: new Map() },
    ms,
    perSecond,
  );

  const head = await headOf(person(), world);
  for (const each of followers) each.head = head[each.channel] ?? null;
  setTimeout(() => follow.abort(), 60_000).unref();
  await Promise.all(following);
  const flaws = followers.flatMap((each) => [
    ...each.flaws,
    ...(each.head && !each.caughtUp() ? [`${each.channel}: ended at ${each.position?.seq} of ${each.head.seq}`] : []),
  ]);
  for (const live of copies)
    flaws.push(...(await compare(live, sessions[0].table(world.deals), head[`table:${world.deals}`])));
  return {
    actions: figures,
    flaws,
    heads: { [world.deals]: head[`table:${world.deals}`].seq },
    followers: {
      connects: sum(followers.map(({ connects }) => connects)),
      events: sum(followers.map(({ events }) => events)),
      resets: countResets(followers),
    },
  };
}

/** By what was followed and why it had to be read anew. */
function countResets(followers) {
  const counted = {};
  for (const { name, resets } of followers)
    for (const [reason, n] of Object.entries(resets))
      counted[`${name}: ${reason}`] = (counted[`${name}: ${reason}`] ?? 0) + n;
  return counted;
}

/** Each person on each node. */
const signIn = (world) =>
  Promise.all(
    world.accounts.flatMap((account) =>
      world.bases.map(async (baseUrl) => {
        const client = new LiveTables({ baseUrl });
        await client.session.login(account);
        return client;
      }),
    ),
  );

/**
 * Tables and views of rows are told of each number, other views of several at once, and nothing of what they missed. Views begin anew when the
 * structure of a table does; for no other reason may anybody be told to read again here.
 */
function makeFollowers({ bases, deals, companies, views }, count, random, token) {
  const channels = [
    { name: 'table', channel: `table:${deals}`, every: true, mayReset: [] },
    { name: 'linked table', channel: `table:${companies}`, every: true, mayReset: [] },
    { name: 'view of rows', channel: `view:${views.rows}`, every: true, mayReset: ['epoch_changed'] },
    {
      name: 'view of two tables',
      channel: `view:${views.joined}`,
      every: false,
      mayReset: ['epoch_changed', 'changes_gone'],
    },
  ];
  return Array.from({ length: count }, (_, nr) => {
    return new Follower({ ...channels[nr % channels.length], bases, token, random });
  });
}

/** Where the feeds of tables stand when nothing is written any more; of views only that they go on is looked at. */
async function headOf(client, { deals, companies }) {
  const head = {};
  for (const id of [deals, companies]) head[`table:${id}`] = (await client.table(id).page({ pageSize: 1 })).meta;
  return head;
}

/** Begins as many actions each second, chosen by their weights, until the time is over; then waits for those on their way. */
async function act(at, ms, perSecond) {
  const names = Object.keys(ACTIONS);
  const weights = names.map((name) => ACTIONS[name][0]);
  const total = sum(weights);
  const figures = Object.fromEntries(
    names.map((name) => [name, { done: 0, refused: {}, flaws: 0, samples: [], ms: [] }]),
  );
  const running = new Set();
  const begun = Date.now();
  for (let nr = 0; Date.now() - begun < ms; nr++) {
    const wait = begun + (nr * 1_000) / perSecond - Date.now();
    if (wait > 0) await pause(wait);
    if (running.size >= MOST) await Promise.race(running);
    let left = at.random.next() * total;
    const name = names.find((_, i) => (left -= weights[i]) < 0) ?? names[0];
    const doing = attempt(name, figures[name], at).finally(() => running.delete(doing));
    running.add(doing);
  }
  await Promise.all(running);
  return Object.fromEntries(names.map((name) => [name, summary(figures[name])]));
}

async function attempt(name, figure, at) {
  const [, work, allowed = []] = ACTIONS[name];
  const base = () => at.random.pick(at.world.bases);
  // For what the client package does not send: bodies that are not JSON.
  const fetched = async (method, path, { headers = {}, ...init } = {}) => {
    const authorization = `Bearer ${await at.token()}`;
    const answer = await fetch(base() + path, { method, headers: { authorization, ...headers }, ...init });
    const text = await answer.text();
    if (!answer.ok) throw new ApiError(JSON.parse(text));
  };
  const begun = performance.now();
  try {
    await work({ ...at, base, fetched });
    figure.done++;
  } catch (error) {
    const code = error.code ?? error.name;
    if (allowed.includes(code) || (error.name === 'AbortError' && name.endsWith('broken off')))
      figure.refused[code] = (figure.refused[code] ?? 0) + 1;
    else {
      figure.flaws++;
      if (figure.samples.length < 5)
        figure.samples.push(`${name}: ${error.status ?? ''} ${error.stack ?? error} ${error.cause?.stack ?? ''}`);
    }
  }
  figure.ms.push(performance.now() - begun);
}

function summary({ ms, ...figure }) {
  const sorted = ms.sort((a, b) => a - b);
  const part = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { ...figure, p50: part(0.5), p99: part(0.99) };
}

/** The copy that a client kept by events alone against the table as it is. */
async function compare(live, table, { seq }) {
  await Promise.race([live.until(seq), pause(30_000)]);
  const state = live.state;
  const rows = new Map();
  for await (const row of table.list()) rows.set(row.id, row);
  const wrong = [...rows.values()].filter(({ id, version }) => live.rows.get(id)?.version !== version);
  live.dispose();
  if (state === 'live' && wrong.length === 0 && live.rows.size === rows.size) return [];
  return [`a local copy is ${state}, has ${live.rows.size} of ${rows.size} rows, ${wrong.length} in another version`];
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

serve({ makeWorld, run });
process.send({});
