/** `npm run backup -- [folder]` and `npm run restore -- <folder>`: builds what changed, then copies both databases out or in; with `--base <id>` one base of them. */
import { ensureBuilt } from './lib/build.mjs';
import { run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  await import('../dist/backup.js');
});
