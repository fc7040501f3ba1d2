/** `npm run docs:errors`: writes docs/ERROR_CODES.md from the catalogue in src/common/errors/catalogue.ts. */
import { writeFileSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  const { errorCodesDocument } = await import('../dist/common/errors/error-codes.js');
  writeFileSync(inRoot('docs/ERROR_CODES.md'), errorCodesDocument());
  console.log('Written: docs/ERROR_CODES.md');
});
