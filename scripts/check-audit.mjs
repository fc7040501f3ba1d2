/** `npm run check:audit`: builds what changed, then computes the hash chains of the audit log anew. */
import { ensureBuilt } from './lib/build.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  await import('../dist/check-audit.js');
});
