/** What came of a soak: tables on the terminal (as Markdown, for RESULTS.md), and which rules are broken. */
import { slope } from './judge.mjs';

/** MB an hour that memory may grow by at most: broken when the whole 95 % interval of the slope lies above. */
const LIMITS = { heap: 10, rss: 60 };
/** A shorter load sees caches fill and functions being compiled, and nothing else; its slopes are told, not judged. */
const JUDGED_AFTER_MS = 20 * 60_000;
const FIGURES = [
  'rss', 'heap', 'external', 'buffers', 'files', 'files: sockets', 'timers', 'connections', 'sockets', 'subscriptions', 'tables followed',
  'pool', 'external open', 'webhooks behind', 'outbox',
]; // prettier-ignore
const MEGABYTES = new Set(['rss', 'heap', 'external', 'buffers']);

const text = (name, value) =>
  value === undefined ? '–' : MEGABYTES.has(name) ? value.toFixed(1) : String(Math.round(value));
const most = (samples, read) => samples.reduce((max, sample) => Math.max(max, read(sample)), 0);

/** Slopes over the last two thirds of the load, when whatever is filled once is full. */
export function slopes({ samples }) {
  const last = samples.slice(Math.floor(samples.length / 3));
  return last[0]?.nodes.map((_, nr) =>
    Object.fromEntries(
      Object.keys(LIMITS).map((name) => [name, slope(last.map(({ at, nodes }) => [at, nodes[nr][name]]))]),
    ),
  );
}

export function print(outcome, options) {
  const { samples, before, after, load, webhooks, backAfter } = outcome;
  table(
    ['action', 'done', 'refused as it should be', 'flaws', 'p50, ms', 'p99, ms'],
    Object.entries(load.actions).map(([name, { done, refused, flaws, p50, p99 }]) => [
      name, done, Object.entries(refused).map(([code, n]) => `${code} ${n}`).join(', ') || '–', flaws, p50.toFixed(0), p99.toFixed(0),
    ]),
  ); // prettier-ignore
  before.nodes.forEach((node, nr) =>
    table(
      [`node ${nr + 1}`, 'before', 'most', 'after'],
      [
        ...FIGURES.map((name) => [
          MEGABYTES.has(name) ? `${name}, MB` : name,
          text(name, node[name]),
          text(
            name,
            most(samples, ({ nodes }) => nodes[nr][name]),
          ),
          text(name, after.nodes[nr][name]),
        ]),
        // They are bounded, and may take hours to fill: what they hold is growth that ends.
        ...Object.keys(after.nodes[nr].caches).map((cache) => [
          `entries of the cache ${cache}`,
          node.caches[cache] ?? 0,
          most(samples, ({ nodes }) => nodes[nr].caches[cache] ?? 0),
          after.nodes[nr].caches[cache],
        ]),
        [
          'event loop late, p99 and most, ms',
          '–',
          `${most(samples, ({ nodes }) => nodes[nr].lag.p99).toFixed(0)}, ${most(samples, ({ nodes }) => nodes[nr].lag.max).toFixed(0)}`,
          '–',
        ],
      ],
    ),
  );
  table(
    ['shared', 'before', 'most', 'after'],
    [
      ['connections in PostgreSQL', before.postgres, most(samples, ({ postgres }) => postgres), after.postgres],
      ...(before.redis
        ? [
            [
              'clients of Redis',
              before.redis.clients,
              most(samples, ({ redis }) => redis.clients),
              after.redis.clients,
            ],
            ['keys in Redis', before.redis.keys, most(samples, ({ redis }) => redis.keys), after.redis.keys],
          ]
        : []),
    ],
  );
  table(
    ['memory, last two thirds', 'slope, MB an hour', '95 % within', 'from, MB', 'to, MB'],
    (slopes(outcome) ?? []).flatMap((each, nr) =>
      Object.entries(each).map(([name, line]) =>
        line
          ? [
              `node ${nr + 1}, ${name}`,
              line.perHour.toFixed(1),
              `± ${line.within.toFixed(1)}`,
              line.from.toFixed(1),
              line.to.toFixed(1),
            ]
          : [`node ${nr + 1}, ${name}`, 'too few samples', '–', '–', '–'],
      ),
    ),
  );
  const { connects, events, resets } = load.followers;
  console.log(
    `${options.followers} followers: ${connects} connections, ${events} events; resets: ${
      Object.entries(resets)
        .map((pair) => pair.join(' '))
        .join(', ') || 'none'
    }.`,
  );
  console.log(
    `${webhooks.messages} messages of webhooks. Back after ${Math.round(backAfter / 1000)} s. Seed ${options.seed}.\n`,
  );
}

/** One line for each rule that is broken. */
export function verdict(outcome, endings) {
  const { left, load, webhooks, samples } = outcome;
  const isLong = samples.length > 1 && samples.at(-1).at - samples[0].at >= JUDGED_AFTER_MS;
  return [
    ...Object.values(load.actions).flatMap(({ flaws, samples }) =>
      flaws > 0 ? [`${flaws} times: ${samples.join('\n  ')}`] : [],
    ),
    ...load.flaws,
    ...webhooks.flaws,
    ...Object.entries(webhooks.taken).flatMap(([key, seq]) => {
      const head = load.heads[key.split(' ')[1]];
      return seq >= head ? [] : [`webhook ${key}: told of ${seq} of ${head}`];
    }),
    ...left.map((line) => `not given back: ${line}`),
    ...(isLong ? slopes(outcome) : []).flatMap((each, nr) =>
      Object.entries(each).flatMap(([name, line]) =>
        line && line.perHour - line.within > LIMITS[name]
          ? [`node ${nr + 1}: ${name} grows by ${line.perHour.toFixed(1)} MB an hour`]
          : [],
      ),
    ),
    ...endings.flatMap((code, nr) => (code === 0 ? [] : [`node ${nr + 1} ended with ${code}`])),
  ];
}

function table(head, rows) {
  for (const cells of [head, head.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`);
  console.log('');
}
