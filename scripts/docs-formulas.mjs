/** `npm run docs:formulas`: writes docs/FORMULAS.md from the functions in src/query/formula/functions. */
import { writeFileSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  const { formulasDocument } = await import('../dist/query/formula/document.js');
  writeFileSync(inRoot('docs/FORMULAS.md'), formulasDocument());
  console.log('Written: docs/FORMULAS.md');
});
