/** The load generator, a process of its own: so many connections, each asks again as soon as it was answered. */
import { serve } from './children.mjs';
import { connect } from './http-client.mjs';
import { WORKS } from './works.mjs';

/** Asks for `seconds`, or until `enough` answers have come; what was still on its way when the time was over is awaited and not counted. */
async function run({ work, as, side, connections, seconds, enough = Infinity }) {
  const make = () => WORKS[work][as](side);
  const clients = Array.from({ length: connections }, () => connect(side.base));
  const latencies = [];
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let bytes = 0;
  const loop = async (client) => {
    for (;;) {
      const bytesOfRequest = make();
      const from = performance.now();
      if (from >= endsAt || latencies.length >= enough) return;
      const { status, length } = await client.send(bytesOfRequest);
      const now = performance.now();
      if (status >= 300 && status !== 304) throw new Error(`${work} (${as}) was answered with ${status}`);
      if (now > endsAt) return;
      latencies.push(now - from);
      bytes += length;
    }
  };
  try {
    await Promise.all(clients.map(loop));
  } finally {
    for (const client of clients) client.close();
  }
  const { user, system } = process.cpuUsage(before);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return {
    count: latencies.length,
    perSecond: latencies.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    bytes: bytes / latencies.length,
    cpuMs: (user + system) / 1000,
    elapsedMs: performance.now() - startedAt,
  };
}

serve({ run });
process.send({});
