/** What must hold after a soak. */

/** Gauges that have to be back where they were before the load, and how far they may be above: what upkeep holds for a moment. */
const BACK = {
  sockets: 0,
  subscriptions: 0,
  'tables followed': 0,
  'pool waiting': 0,
  'writes waiting': 0,
  'webhooks delivering': 0,
  'webhooks behind': 0,
  outbox: 0,
  connections: 1,
  'external open': 0,
  pool: 2,
  files: 4,
  'files: sockets': 4,
  timers: 4,
};

/** @returns one line for each figure that is not back */
export function notBack(before, now) {
  const lines = now.nodes.flatMap((node, nr) =>
    Object.entries(BACK)
      .filter(([name, slack]) => node[name] > before.nodes[nr][name] + slack)
      .map(([name]) => `node ${nr + 1}: ${name} ${before.nodes[nr][name]} → ${node[name]}`),
  );
  if (now.postgres > before.postgres + 4) lines.push(`connections in PostgreSQL ${before.postgres} → ${now.postgres}`);
  if (now.redis && now.redis.clients > before.redis.clients)
    lines.push(`clients of Redis ${before.redis.clients} → ${now.redis.clients}`);
  return lines;
}

/**
 * A line through the samples by least squares: its slope per hour, and half the width of its 95 % interval. What a sample owes to the one
 * before (the autocorrelation of what the line leaves over) widens the interval, as if there were so many samples less (Santer et al. 2000,
 * https://doi.org/10.1029/1999JD901105).
 *
 * @param points `[ms, value]`
 */
export function slope(points) {
  const n = points.length;
  if (n < 4) return undefined;
  const hours = points.map(([at]) => (at - points[0][0]) / 3_600_000);
  const values = points.map(([, value]) => value);
  const [meanX, meanY] = [mean(hours), mean(values)];
  const spread = sum(hours.map((x) => (x - meanX) ** 2));
  const perHour = sum(hours.map((x, i) => (x - meanX) * (values[i] - meanY))) / spread;
  const rest = values.map((y, i) => y - meanY - perHour * (hours[i] - meanX));
  const squares = sum(rest.map((r) => r ** 2));
  const lag = squares === 0 ? 0 : sum(rest.slice(1).map((r, i) => r * rest[i])) / squares;
  const kept = Math.max(0, Math.min(0.95, lag));
  const effective = Math.max(3, (n * (1 - kept)) / (1 + kept));
  const error = Math.sqrt(squares / (effective - 2) / spread);
  return { perHour, within: 2 * error, from: values[0], to: values.at(-1) };
}

const sum = (list) => list.reduce((a, b) => a + b, 0);
const mean = (list) => sum(list) / list.length;
