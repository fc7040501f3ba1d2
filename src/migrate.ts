import { isForPeople, migrate, prepareGround } from './boot.js';
import { revertMain } from './database/main/index.js';
import { revertMini } from './database/mini/index.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';

/** `npm run migration:run` and `npm run migration:revert`: both databases, configured or embedded, beside a running server too. */

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(command: string | undefined): Promise<void> {
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    if (command === 'run') {
      await migrate(config);
      say('Both databases are at the newest migration.');
    } else if (command === 'revert') {
      await checkDatabases(config);
      await Promise.all([revertMain(config.mainDb), revertMini(config.miniDb)]);
      say('The newest migration of each database was undone.');
    } else {
      throw new Error('Say run or revert.');
    }
  } finally {
    await embedded?.stop();
  }
}

try {
  await main(process.argv[2]);
  process.exit(0);
} catch (error) {
  process.stderr.write(
    `${isForPeople(error) ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}
