import {
  ConfigError,
  DataDirectoryError,
  environmentWithFile,
  loadConfig,
  needsOf,
  openDataDirectory,
  openSecrets,
  type AppConfig,
} from './config/index.js';
import {
  EmbeddedError,
  startEmbedded,
  type EmbeddedDatabases,
  type EmbeddedOptions,
} from './database/embedded/index.js';
import { migrateMain } from './database/main/index.js';
import { migrateMini } from './database/mini/index.js';
import { checkBelonging } from './database/belonging.js';
import { DatabaseUnusable, checkDatabases, patiently } from './database/preflight.js';

/** The ground on which a server or a command stands. */
export interface Ground {
  readonly config: AppConfig;
  /** Where this process brought databases itself. */
  readonly embedded: EmbeddedDatabases | undefined;
}

type Bring = (options: EmbeddedOptions) => Promise<EmbeddedDatabases>;

/**
 * Reads the settings and brings what they leave out: embedded databases and generated secrets.
 * Throws errors whose message is meant for the person at the terminal (see {@link isForPeople}).
 */
export async function prepareGround(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  bring: Bring = startEmbedded,
): Promise<Ground> {
  const variables = environmentWithFile(env);
  const needs = needsOf(variables);
  if (needs.secrets) openDataDirectory(needs.dataDir);
  const embedded = needs.main || needs.mini ? await bring({ ...needs, say }) : undefined;
  const secrets = needs.secrets ? openSecrets(needs.dataDir) : undefined;
  const config = loadConfig(variables, { secrets, main: embedded?.main, mini: embedded?.mini });
  return { config, embedded };
}

/** Looks at both databases and brings them to the newest migration; several nodes may do so at once. */
export async function migrate(config: AppConfig): Promise<void> {
  await checkDatabases(config);
  await checkBelonging(config);
  await Promise.all([patiently(() => migrateMain(config.mainDb)), patiently(() => migrateMini(config.miniDb))]);
}

const FOR_PEOPLE = [ConfigError, DataDirectoryError, EmbeddedError, DatabaseUnusable];

/** Whether an error's message says all that the person at the terminal needs; anything else is shown with its stack. */
export const isForPeople = (error: unknown): error is Error => FOR_PEOPLE.some((kind) => error instanceof kind);
