/** `npm run keys:rotate`: builds what changed, then encrypts stored passwords anew under the present key. */
import { ensureBuilt } from './lib/build.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  await import('../dist/rotate-keys.js');
});
