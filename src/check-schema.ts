import 'reflect-metadata';
import { runCheck } from './check.js';
import { openDriftChecker } from './modules/tables/index.js';

/** `npm run check:schema`: compares the structure of the mini-DB with the metadata and prints each difference on a line of its own. */
await runCheck(async (config, say) => {
  const open = await openDriftChecker(config);
  const { bases, skipped, findings } = await open.checker.check().finally(() => open.close());
  for (const { place, code, detail } of findings) say(`${place}: ${code}, ${detail}`);
  for (const schema of skipped) say(`${schema}: changes all the time, not judged`);
  say(`${bases} bases compared with the metadata, ${findings.length} differences.`);
  return findings.length;
});
