import 'reflect-metadata';
import { isForPeople, prepareGround } from './boot.js';
import { useEmbedded } from './database/embedded/index.js';
import { checkDatabases } from './database/preflight.js';
import { openKeyRotation } from './modules/connections/index.js';
import { SEALED_WEBHOOKS } from './modules/webhooks/index.js';

/**
 * `npm run keys:rotate`: encrypts the stored passwords of connections and secrets of webhooks anew under ENCRYPTION_KEY, those of ENCRYPTION_KEYS_PREVIOUS
 * being read, and prints how many are under which key. Runs beside servers; when it is ended early, the next run goes on. Exit code 1
 * when there are some that none of the keys opens.
 */

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { config, embedded } = await prepareGround(process.env, say, useEmbedded);
  try {
    await checkDatabases(config);
    const open = await openKeyRotation(config, [SEALED_WEBHOOKS]);
    try {
      const { rotated, unreadable } = await open.rotation.rotate((sofar) => say(`${sofar} secrets encrypted anew …`));
      say(`${rotated} secrets were encrypted anew.`);
      for (const { keyId, present, secrets } of await open.rotation.counts())
        say(`${secrets} secrets are under key ${keyId}${present ? ', the present one' : ''}.`);
      if (unreadable > 0)
        say(`${unreadable} secrets cannot be read: add their key to ENCRYPTION_KEYS_PREVIOUS, or enter them again.`);
      return unreadable === 0 ? 0 : 1;
    } finally {
      await open.close();
    }
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
