/** `npm run docs:env`: writes .env.example and docs/ENVIRONMENT.md from the table in src/config/settings.ts. */
import { writeFileSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  const { envExample, environmentDocument } = await import('../dist/config/documents.js');
  writeFileSync(inRoot('.env.example'), envExample());
  writeFileSync(inRoot('docs/ENVIRONMENT.md'), environmentDocument());
  console.log('Written: .env.example, docs/ENVIRONMENT.md');
});
