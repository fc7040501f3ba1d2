import 'reflect-metadata';
import { isForPeople, prepareGround } from './boot.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';
import { openDriftChecker } from './modules/tables/index.js';

/**
 * `npm run check:schema`: compares the structure of the mini-DB with the metadata and prints each difference on a line of its
 * own. Exit code 1 when there is one. Changes nothing; runs beside a server too, on the databases of the same configuration.
 */

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    await checkDatabases(config);
    const open = await openDriftChecker(config);
    const { bases, skipped, findings } = await open.checker.check().finally(() => open.close());
    for (const { place, code, detail } of findings) say(`${place}: ${code}, ${detail}`);
    for (const schema of skipped) say(`${schema}: changes all the time, not judged`);
    say(`${bases} bases compared with the metadata, ${findings.length} differences.`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await embedded?.stop();
  }
}

try {
  process.exit(await main());
} catch (error) {
  const unmigrated = error instanceof Error && 'code' in error && error.code === '42P01';
  if (unmigrated)
    process.stderr.write(
      'The databases have no tables of ours yet: start the server, or run `npm run migration:run`.\n',
    );
  else
    process.stderr.write(
      `${isForPeople(error) ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
    );
  process.exit(1);
}
