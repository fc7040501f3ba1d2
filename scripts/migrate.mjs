/** `npm run migration:run` and `migration:revert`: builds what changed, then migrates both databases. */
import { ensureBuilt } from './lib/build.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  await import('../dist/migrate.js');
});
