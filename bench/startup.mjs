/** From `node dist/main.js` to ready, with embedded databases that are there already; and what it holds when nobody asks. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { rssOf, start } from './children.mjs';
import { call } from './http-client.mjs';

export async function measureStartup(folder, starts = 3) {
  const cwd = path.join(folder, 'embedded');
  mkdirSync(cwd, { mode: 0o755 });
  const env = { ENV_FILE: '/dev/null', PORT: '0', DATA_DIR: path.join(cwd, '.data'), LOG_LEVEL: 'warn', HOME: cwd };
  const times = [];
  let rss;
  for (let n = 0; n <= starts; n++) {
    const from = performance.now();
    const server = await start('../dist/main.js', { env, cwd });
    times.push(performance.now() - from);
    if (n === starts) {
      await call(server.ready.ready, 'GET', '/api/docs-json');
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      rss = rssOf(server.pid);
    }
    await server.stop();
  }
  const [first, ...later] = times;
  return { first, later, rss };
}
