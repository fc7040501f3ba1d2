import { isForPeople, prepareGround } from './boot.js';
import type { AppConfig } from './config/index.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';

const say = (line: string) => void process.stdout.write(`${line}\n`);

/**
 * Runs a command that looks whether all is well in the databases of the configuration, and ends the process: exit code 1 when something is not, or when it could
 * not be looked at. `check` prints each finding through `say` and says how many there are. It runs beside a server too, and changes nothing.
 */
export async function runCheck(
  check: (config: AppConfig, say: (line: string) => void) => Promise<number>,
): Promise<never> {
  try {
    const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
    try {
      await checkDatabases(config);
      process.exitCode = (await check(config, say)) === 0 ? 0 : 1;
    } finally {
      await embedded?.stop();
    }
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${told(error)}\n`);
  }
  process.exit();
}

function told(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === '42P01')
    return 'The databases have no tables of ours yet: start the server, or run `npm run migration:run`.';
  if (isForPeople(error)) return error.message;
  return String(error instanceof Error ? error.stack : error);
}
