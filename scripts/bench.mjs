/** `npm run bench`: builds what changed, then measures against the floor. Options: `npm run bench -- --help`. */
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureInstalled();
  ensureBuilt();
  const { main } = await import('../bench/main.mjs');
  await main();
  process.exit();
});
