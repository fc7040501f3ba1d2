import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { ConfigError } from './read-settings.js';
import { SETTINGS } from './settings.js';

/** Root folder of the project: where package.json, `.env` and, unless told otherwise, `.data` are. */
export const projectRoot: string = fileURLToPath(new URL('../../', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of the process over those of the `.env` file. An empty variable of the process hides the file's, so that
 * `REDIS_HOST= npm start` does what it says. Throws {@link ConfigError} when the file exists and cannot be read.
 */
export function environmentWithFile(env: Environment): Environment {
  const named = env.ENV_FILE ?? '';
  const file = path.resolve(projectRoot, named === '' ? SETTINGS.ENV_FILE.fallback : named);
  return { ...fileVariables(file, named !== ''), ...env };
}

function fileVariables(file: string, named: boolean): Environment {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'not readable';
    if (code === 'ENOENT' && !named) return {};
    throw new ConfigError([
      `ENV_FILE names ${file}, which cannot be read (${code}): correct the path or its permissions.`,
    ]);
  }
}
