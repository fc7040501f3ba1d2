import { isForPeople, migrate, prepareGround } from './boot.js';
import { revertMain } from './database/main/index.js';
import { revertMini } from './database/mini/index.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';

/**
 * `npm run migration:run` and `npm run migration:revert`: both databases, configured or embedded, beside a running server too. `migration:revert -- main` and
 * `-- mini` undo one of one database only: a release does not bring as many to both.
 */

/** The command line says something that is not there. */
class Misuse extends Error {}

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(command: string | undefined, which: string | undefined): Promise<void> {
  if (which !== undefined && (command !== 'revert' || !['main', 'mini'].includes(which)))
    throw new Misuse(`${which} is none of main and mini, of which revert undoes a migration.`);
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    if (command === 'run') {
      await migrate(config);
      say('Both databases are at the newest migration.');
    } else if (command === 'revert') {
      await checkDatabases(config);
      await Promise.all([
        which === 'mini' ? undefined : revertMain(config.mainDb),
        which === 'main' ? undefined : revertMini(config.miniDb),
      ]);
      say(`The newest migration of ${which === undefined ? 'each database' : `the ${which} database`} was undone.`);
    } else {
      throw new Misuse('Say run or revert.');
    }
  } finally {
    await embedded?.stop();
  }
}

try {
  await main(process.argv[2], process.argv[3]);
  process.exit(0);
} catch (error) {
  process.stderr.write(
    `${isForPeople(error) || error instanceof Misuse ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}
