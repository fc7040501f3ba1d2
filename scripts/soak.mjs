/** `npm run soak`: builds what changed, then lets two nodes work for a while and looks for what does not come back. Options: `npm run soak -- --help`. */
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureInstalled();
  ensureBuilt();
  const { main } = await import('../bench/soak/main.mjs');
  process.exit(await main());
});
