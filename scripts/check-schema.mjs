/** `npm run check:schema`: builds what changed, then compares the mini database with the metadata. */
import { ensureBuilt } from './lib/build.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  await import('../dist/check-schema.js');
});
