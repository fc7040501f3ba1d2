/** `npm run build`: compiles src/ into dist/, always anew unless told `--if-stale`. */
import { rmSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(() => {
  if (!process.argv.includes('--if-stale')) rmSync(inRoot('dist/.inputs'), { force: true });
  ensureBuilt();
});
