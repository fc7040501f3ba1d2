/** `npm run build`: compiles src/ into dist/, always anew. */
import { rmSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(() => {
  rmSync(inRoot('dist/.inputs'), { force: true });
  ensureBuilt();
});
