import { list } from './parsers.js';
import { SETTINGS, type Setting, type SettingName, type Settings } from './settings.js';

/** The settings cannot be used. The message lists each bad variable with what to do; it holds no secret. */
export class ConfigError extends Error {
  constructor(readonly complaints: readonly string[]) {
    super(
      complaints.length === 1
        ? `The configuration cannot be used: ${complaints.join('')}`
        : `The configuration cannot be used:\n${complaints.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/** Parsed values, and the names of those that somebody set on purpose. */
export interface ReadSettings {
  readonly values: Settings;
  readonly given: ReadonlySet<SettingName>;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Complain = (name: string, what: string) => void;

/**
 * Parses every variable of the table; an empty value counts as absent. Throws one {@link ConfigError} with all findings,
 * those of `NODE_ENV=production` included: missing, weak, default and example secrets.
 */
export function readSettings(env: Environment): ReadSettings {
  const complaints: string[] = [];
  const complain: Complain = (name, what) => {
    const { remedy } = (SETTINGS as Readonly<Record<string, Setting<unknown>>>)[name] ?? {};
    complaints.push(`${name} ${what}${remedy === undefined ? '' : ` (${remedy})`}.`);
  };
  const production = env.NODE_ENV?.trim() === 'production';
  const given = new Set<SettingName>();
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const found = (setting.secret ? env[name] : env[name]?.trim()) ?? '';
    if (found !== '') given.add(name);
    else if (production && setting.requiredInProduction)
      complain(name, MISSING[name] ?? 'is missing: production requires it');
    const source = found === '' ? fallbackOf(setting, production) : found;
    if (source !== undefined) values[name] = parsed(name, setting, source, complain);
    if (production && found !== '') judgeSecret(name, setting, found, complain);
  }
  judgeTogether(env, given, complain);
  if (complaints.length > 0) throw new ConfigError(complaints);
  return { values: values as Settings, given };
}

const EMBEDDED_NEVER = 'is missing: production never starts embedded databases, name the host of your PostgreSQL';
const MISSING: Readonly<Partial<Record<SettingName, string>>> = {
  DB_HOST: EMBEDDED_NEVER,
  MINI_DB_HOST: EMBEDDED_NEVER,
};

function fallbackOf({ fallback }: Setting<unknown>, production: boolean): string | undefined {
  return typeof fallback === 'object' ? fallback[production ? 'production' : 'development'] : fallback;
}

function parsed(name: string, setting: Setting<unknown>, source: string, complain: Complain): unknown {
  try {
    return setting.parse(source);
  } catch (error) {
    complain(name, error instanceof Error ? error.message : 'cannot be read');
    return undefined;
  }
}

function judgeSecret(name: string, { secret, example }: Setting<unknown>, value: string, complain: Complain): void {
  if (!secret) return;
  const weakness = value === example ? 'is the public value of .env.example' : secret(value);
  if (weakness !== undefined) complain(name, `${weakness}: production refuses it`);
}

/** What no single variable shows. */
function judgeTogether(env: Environment, given: ReadonlySet<SettingName>, complain: Complain): void {
  if (given.has('JWT_SECRET') && env.JWT_SECRET === env.ENCRYPTION_KEY)
    complain('ENCRYPTION_KEY', 'is the same as JWT_SECRET: use two different keys');
  const previous = list(env.JWT_SECRETS_PREVIOUS ?? '');
  if (env.JWT_SECRET !== undefined && previous.includes(env.JWT_SECRET))
    complain('JWT_SECRETS_PREVIOUS', 'holds JWT_SECRET itself: the present key is not a previous one');
  if (env.ENCRYPTION_KEY !== undefined && previous.includes(env.ENCRYPTION_KEY))
    complain('JWT_SECRETS_PREVIOUS', 'holds ENCRYPTION_KEY: use different keys');
  const previousKeys = list(env.ENCRYPTION_KEYS_PREVIOUS ?? '').map((key) => key.toLowerCase());
  if (env.ENCRYPTION_KEY !== undefined && previousKeys.includes(env.ENCRYPTION_KEY.toLowerCase()))
    complain('ENCRYPTION_KEYS_PREVIOUS', 'holds ENCRYPTION_KEY itself: the present key is not a previous one');
  if (given.has('FILES_S3_ACCESS_KEY') !== given.has('FILES_S3_SECRET_KEY'))
    complain('FILES_S3_SECRET_KEY', 'and FILES_S3_ACCESS_KEY belong together: set both or neither');
  if (!given.has('FILES_S3_BUCKET') && (given.has('FILES_S3_ENDPOINT') || given.has('FILES_S3_ACCESS_KEY')))
    complain('FILES_S3_BUCKET', 'is missing, although other settings of S3 are there');
  const place = (prefix: 'DB' | 'MINI_DB') =>
    given.has(`${prefix}_HOST`)
      ? [env[`${prefix}_HOST`], env[`${prefix}_PORT`] ?? '5432', env[`${prefix}_DATABASE`]].join(' ')
      : undefined;
  if (given.has('MINI_DB_DATABASE') && place('DB') !== undefined && place('DB') === place('MINI_DB'))
    complain('MINI_DB_DATABASE', 'is the same database as DB_DATABASE: the two need a database each');
}
