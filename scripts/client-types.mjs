/** `npm run client:types`: writes the types of the client package out of docs/openapi.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { clientTypes } from './lib/client-types.mjs';
import { inRoot, run } from './lib/project.mjs';

await run(() => {
  const document = JSON.parse(readFileSync(inRoot('docs/openapi.json'), 'utf8'));
  writeFileSync(inRoot('client/src/openapi.ts'), clientTypes(document));
});
