/** One look at everything that could grow: memory, handles, pools, sockets, connections. */
import { readdirSync, readlinkSync } from 'node:fs';
import { rssOf } from '../children.mjs';

/** Gauges of a node that stand for something held, and under what name they are reported; series of one name are added up. */
const GAUGES = {
  http_connections: 'connections',
  live_tables_sockets: 'sockets',
  live_tables_subscriptions: 'subscriptions',
  live_tables_live_tables: 'tables followed',
  live_tables_db_connections: 'pool',
  live_tables_db_waiting: 'pool waiting',
  live_tables_writes_waiting: 'writes waiting',
  live_tables_external_databases: 'external open',
  live_tables_webhooks_delivering: 'webhooks delivering',
  live_tables_webhooks_behind: 'webhooks behind',
  live_tables_outbox_events: 'outbox',
};

/** @returns flat figures by name, of all nodes one after the other under `nodes`, and of what they share */
export async function look({ nodes, postgres, redis, metricsToken }, admin) {
  return {
    at: Date.now(),
    nodes: await Promise.all(nodes.map((node) => ofNode(node, metricsToken))),
    postgres: (await admin.query(CONNECTIONS)).rows[0].count,
    redis: await redis?.measure(),
    postgresRss: postgres.pids().reduce((sum, pid) => sum + (rssOf(pid) ?? 0), 0),
  };
}

const CONNECTIONS = `select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;

async function ofNode({ pid, base, ask }, metricsToken) {
  const gauges = await readGauges(base, metricsToken);
  // After the numbers were asked for, so that this question is not among what it holds.
  const { lag, resources, ...memory } = await ask({ do: 'measure' });
  return { rss: rssOf(pid), ...memory, lag, ...files(pid), timers: resources.Timeout ?? 0, ...gauges, resources };
}

/** Open files of a process: all, and those that are sockets. */
function files(pid) {
  const open = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return []; // closed in between
    }
  });
  return { files: open.length, 'files: sockets': open.filter((name) => name.startsWith('socket:')).length };
}

async function readGauges(base, token) {
  const headers = { authorization: `Bearer ${token}`, connection: 'close' };
  const text = await (await fetch(`${base}/metrics`, { headers })).text();
  const found = Object.fromEntries(Object.values(GAUGES).map((name) => [name, 0]));
  const caches = {};
  for (const [, series, labels, value] of text.matchAll(/^(\w+)(?:\{([^}]*)\})? (\S+)$/gm)) {
    if (Object.hasOwn(GAUGES, series)) found[GAUGES[series]] += Number(value);
    if (series === 'live_tables_cache_entries') caches[/cache="(\w+)"/.exec(labels)?.[1]] = Number(value);
  }
  return { ...found, caches };
}
