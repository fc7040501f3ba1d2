/** `npm run docs:licenses`: writes docs/LICENSES.md from package-lock.json. */
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { licensesDocument } from './lib/licenses.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(async () => {
  const file = inRoot('docs/LICENSES.md');
  writeFileSync(file, await format(licensesDocument(), { ...(await resolveConfig(file)), filepath: file }));
  console.log('Written: docs/LICENSES.md');
});
