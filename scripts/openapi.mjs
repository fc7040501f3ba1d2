/** `npm run openapi`: writes docs/openapi.json and docs/asyncapi.yaml from the built server, which is not started for it. */
import { writeFileSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(async () => {
  ensureBuilt();
  const { apiDocuments } = await import('../dist/api-documents.js');
  const { openapi, asyncapi } = await apiDocuments();
  writeFileSync(inRoot('docs/openapi.json'), openapi);
  writeFileSync(inRoot('docs/asyncapi.yaml'), asyncapi);
  console.log('Written: docs/openapi.json, docs/asyncapi.yaml');
});
