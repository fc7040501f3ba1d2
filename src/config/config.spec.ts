import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { envExample, environmentDocument } from './documents.js';
import { environmentWithFile, projectRoot } from './environment.js';
import { loadConfig, needsOf } from './load-config.js';
import { ConfigError } from './read-settings.js';
import { DataDirectoryError, openDataDirectory, openSecrets, rememberPort } from './secrets-file.js';
import { SETTINGS } from './settings.js';

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(path.join(os.tmpdir(), 'lt-config-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
});

const complaintsOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

const database = {
  host: '127.0.0.1',
  port: 5,
  username: 'u',
  password: 'p',
  database: 'd',
  tls: false,
  poolSize: 3,
};
const secrets = { jwtSecret: 'made here', encryptionKey: 'ab'.repeat(32) };
const strong = {
  NODE_ENV: 'production',
  DB_HOST: 'main.internal',
  DB_USERNAME: 'live',
  DB_PASSWORD: 'vK2-mT9qLw4xZr',
  MINI_DB_HOST: 'mini.internal',
  MINI_DB_USERNAME: 'live',
  MINI_DB_PASSWORD: 'hN7-yB3cQs8dPf',
  JWT_SECRET: 'qk0xUuV3o0bXxkK2S6bJmJtq5nX2r0cS9yJk8hQd1aM=',
  ENCRYPTION_KEY: '8f1d6a03c5e94b72d0a7f3b81c64e95f2a7b0d3c9e58164fb2c07d9a3e6f5184',
};

describe('configuration', () => {
  it('traces where a collector is named, as OpenTelemetry spells it, and nowhere else', () => {
    const load = (env: object) => loadConfig({ ...env }, { main: database, mini: database, secrets }).tracing;
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example.com:4318/a/' };
    expect(load({ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' })).toBeUndefined();
    expect(load({ ...base, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
    expect(load(base)).toEqual({
      url: 'https://otel.example.com:4318/a/v1/traces',
      headers: {},
      serviceName: 'live-tables',
      sampler: 'parentbased_always_on',
      ratio: 1,
    });
    const all = {
      ...base,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/traces',
      OTEL_EXPORTER_OTLP_HEADERS: 'Api-Key = a%20b=, x=1',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    };
    expect(load(all)).toMatchObject({
      url: 'http://127.0.0.1:9/traces',
      headers: { 'api-key': 'a b=', x: '1' },
      sampler: 'parentbased_traceidratio',
      ratio: 0.25,
    });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hush'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=hush%0a'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=hush%'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'otel:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:hush@otel'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ])('refuses %s=%s and does not repeat what is secret', (name, value) => {
    const complaint = complaintsOf(() => loadConfig({ [name]: value }, { main: database, mini: database, secrets }));
    expect(complaint).toContain(name);
    expect(complaint).not.toContain('hush');
  });

  it('needs nothing in development: databases and secrets are brought', () => {
    expect(needsOf({})).toMatchObject({ main: true, mini: true, secrets: true });
    const config = loadConfig({}, { main: database, mini: database, secrets });
    expect(config).toMatchObject({
      environment: 'development',
      embedded: true,
      port: 3000,
      host: '127.0.0.1',
      corsOrigins: ['*'],
      trustProxy: 0,
      bodyLimit: 4 * 1024 * 1024,
      responseLimit: 64 * 1024 * 1024,
      requestSeconds: 60,
      jwt: { secret: 'made here', previousSecrets: [], accessSeconds: 900, refreshSeconds: 2_592_000 },
      rateLimit: { limit: 6000, windowSeconds: 60, authLimit: 100, authWindowSeconds: 60 },
      mainDb: database,
      external: { allowedNetworks: ['127.0.0.0/8', '::1'], connectMs: 10_000, schemaMaxAgeMs: 3_600_000 },
      previousEncryptionKeys: [],
      dataDir: path.join(projectRoot, '.data'),
    });
    expect(config.encryptionKey).toHaveLength(32);
    expect(config.redis).toBeUndefined();
    expect(config.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('embeds only the database that is not configured', () => {
    expect(needsOf({ DB_HOST: 'db' })).toMatchObject({ main: false, mini: true });
    expect(needsOf({ MINI_DB_PORT: '5433' })).toMatchObject({ main: true, mini: false });
    const config = loadConfig({ DB_HOST: 'db', DB_PASSWORD: 'x' }, { mini: database, secrets });
    expect(config.mainDb).toMatchObject({
      host: 'db',
      port: 5432,
      username: 'live_tables',
      database: 'live_tables_main',
    });
    expect(config).toMatchObject({ miniDb: database, embedded: true });
    expect(loadConfig({ MINI_DB_PORT: '5433' }, { main: database, secrets }).miniDb.host).toBe('localhost');
  });

  it('treats an empty value as absent', () => {
    expect(needsOf({ DB_HOST: '', DB_PASSWORD: '', JWT_SECRET: '' })).toMatchObject({ main: true, secrets: true });
    expect(loadConfig({ PORT: '', REDIS_HOST: ' ' }, { main: database, mini: database, secrets })).toMatchObject({
      port: 3000,
    });
  });

  it('names every bad variable in one error, and says what is expected', () => {
    const message = complaintsOf(() =>
      loadConfig({
        PORT: '99999',
        NODE_ENV: 'prod',
        DB_SSL: 'maybe',
        JWT_ACCESS_TOKEN_EXPIRATION: 'soon',
        ENCRYPTION_KEY: 'ff',
      }),
    );
    expect(message).toMatch(/NODE_ENV must be one of development, test, production/);
    expect(message).toMatch(/PORT must be a whole number from 0 to 65535/);
    expect(message).toMatch(/DB_SSL must be true or false/);
    expect(message).toMatch(/JWT_ACCESS_TOKEN_EXPIRATION must be a time span .* 15m/);
    expect(message).toMatch(/ENCRYPTION_KEY must be 64 hexadecimal digits .*openssl rand -hex 32/);
  });

  it.each([
    [
      'CORS_ORIGIN',
      'https://a.example, http://localhost:5173',
      ['https://a.example', 'http://localhost:5173'],
      'corsOrigins',
    ],
    ['REQUEST_TIMEOUT', '2m', 120, 'requestSeconds'],
    ['RESPONSE_LIMIT_BYTES', '4096', 4096, 'responseLimit'],
    ['ENCRYPTION_KEYS_PREVIOUS', 'ab'.repeat(32), [Buffer.alloc(32, 0xab)], 'previousEncryptionKeys'],
    ['TRUST_PROXY', '1', 1, 'trustProxy'],
    ['TRUST_PROXY', '10.0.0.0/8, ::1', ['10.0.0.0/8', '::1'], 'trustProxy'],
  ])('reads %s=%s', (name, value, expected, key) => {
    expect(loadConfig({ [name]: value }, { main: database, mini: database, secrets })).toMatchObject({
      [key]: expected,
    });
  });

  it.each([
    ['CORS_ORIGIN', 'https://a.example/'],
    ['CORS_ORIGIN', '*,https://a.example'],
    ['CORS_ORIGIN', 'a.example'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['CONNECTIONS_ALLOWED_NETWORKS', '10.0.0.0/33'],
    ['CONNECTIONS_ALLOWED_NETWORKS', 'localhost'],
    ['CONNECTIONS_ALLOWED_NETWORKS', 'fe80::1%eth0'],
    ['ENCRYPTION_KEYS_PREVIOUS', 'ff'],
    ['REQUEST_TIMEOUT', '0'],
    ['RESPONSE_LIMIT_BYTES', '10'],
    ['PORT', '-1'],
    ['PORT', '3000.5'],
    ['PORT', '0x10'],
    ['DB_POOL_SIZE', '0'],
    ['JWT_REFRESH_TOKEN_EXPIRATION', '0'],
  ])('refuses %s=%s', (name, value) => {
    expect(complaintsOf(() => loadConfig({ [name]: value }))).toContain(name);
  });

  it('reads former keys as a list, without the blanks around them', () => {
    const { jwt } = loadConfig({ JWT_SECRETS_PREVIOUS: 'one, two ,' }, { main: database, mini: database, secrets });
    expect(jwt.previousSecrets).toEqual(['one', 'two']);
  });

  it('reads time spans in every unit', () => {
    const seconds = (text: string) =>
      loadConfig({ JWT_REFRESH_TOKEN_EXPIRATION: text }, { main: database, mini: database, secrets }).jwt
        .refreshSeconds;
    expect(['900', '900s', '15m', '2h', '7d', '1w'].map(seconds)).toEqual([900, 900, 900, 7_200, 604_800, 604_800]);
  });

  it('never prints a secret, whatever is wrong', () => {
    const names = Object.entries(SETTINGS).flatMap(([name, facts]) => ('secret' in facts ? [name] : []));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ minLength: 12, unit: 'grapheme-ascii' }), (name, value) => {
        const message = complaintsOf(() => loadConfig({ ...strong, [name]: `zq${value}qz` }));
        expect(message).not.toContain(`zq${value}qz`);
      }),
    );
  });

  it('accepts one and the same database twice neither by accident nor on purpose', () => {
    const same = { DB_HOST: 'h', MINI_DB_HOST: 'h', DB_DATABASE: 'one', MINI_DB_DATABASE: 'one' };
    expect(complaintsOf(() => loadConfig(same))).toMatch(/MINI_DB_DATABASE is the same database/);
  });
});

describe('production', () => {
  it('starts with strong secrets and its own databases', () => {
    const config = loadConfig(strong);
    expect(config).toMatchObject({ environment: 'production', embedded: false, host: '0.0.0.0', corsOrigins: [] });
    expect(needsOf(strong)).toMatchObject({ main: false, mini: false, secrets: false });
  });

  it('never starts embedded and names everything that is missing', () => {
    const message = complaintsOf(() =>
      loadConfig({ NODE_ENV: 'production' }, { main: database, mini: database, secrets }),
    );
    for (const name of [
      'DB_HOST',
      'DB_USERNAME',
      'DB_PASSWORD',
      'MINI_DB_HOST',
      'MINI_DB_PASSWORD',
      'JWT_SECRET',
      'ENCRYPTION_KEY',
    ])
      expect(message).toMatch(new RegExp(`- ${name} is missing`));
    expect(message).toMatch(/never starts embedded databases/);
  });

  it.each([
    ['JWT_SECRET', 'changeme'],
    ['JWT_SECRET', 'secret'],
    ['JWT_SECRET', 'your-super-secret-jwt-key-that-is-long-enough'],
    ['JWT_SECRET', 'a'.repeat(64)],
    ['JWT_SECRET', 'abcabcabcabcabcabcabcabcabcabcabcabc'],
    ['JWT_SECRET', SETTINGS.JWT_SECRET.example],
    ['JWT_SECRETS_PREVIOUS', 'changeme'],
    ['JWT_SECRETS_PREVIOUS', `${randomBytes(48).toString('base64')},${'a'.repeat(64)}`],
    ['JWT_SECRETS_PREVIOUS', SETTINGS.JWT_SECRET.example],
    ['ENCRYPTION_KEY', '0'.repeat(64)],
    ['ENCRYPTION_KEYS_PREVIOUS', '0'.repeat(64)],
    ['ENCRYPTION_KEY', '0123456789abcdef'.repeat(4)],
    ['ENCRYPTION_KEY', SETTINGS.ENCRYPTION_KEY.example],
    ['DB_PASSWORD', 'postgres'],
    ['DB_PASSWORD', 'x'],
    ['DB_PASSWORD', SETTINGS.DB_PASSWORD.example],
    ['MINI_DB_PASSWORD', 'password123'],
    ['REDIS_PASSWORD', 'changeme'],
  ])('refuses %s=%s and says so', (name, value) => {
    const message = complaintsOf(() => loadConfig({ ...strong, [name]: value }));
    expect(message).toMatch(new RegExp(`${name} .*production refuses it`));
  });

  it('refuses one key for two purposes', () => {
    const message = complaintsOf(() => loadConfig({ ...strong, JWT_SECRET: strong.ENCRYPTION_KEY }));
    expect(message).toMatch(/ENCRYPTION_KEY is the same as JWT_SECRET/);
    const previous = (key: string) => complaintsOf(() => loadConfig({ ...strong, JWT_SECRETS_PREVIOUS: `x, ${key}` }));
    expect(previous(strong.JWT_SECRET)).toMatch(/JWT_SECRETS_PREVIOUS holds JWT_SECRET itself/);
    expect(previous(strong.ENCRYPTION_KEY)).toMatch(/JWT_SECRETS_PREVIOUS holds ENCRYPTION_KEY/);
  });

  it('reaches external databases at public addresses only, unless networks are allowed', () => {
    expect(loadConfig(strong).external.allowedNetworks).toEqual([]);
    const allowed = loadConfig({ ...strong, CONNECTIONS_ALLOWED_NETWORKS: '10.20.0.0/16, fd00::/8' });
    expect(allowed.external.allowedNetworks).toEqual(['10.20.0.0/16', 'fd00::/8']);
  });

  it('refuses the present key as a former one', () => {
    const keys = { ENCRYPTION_KEYS_PREVIOUS: strong.ENCRYPTION_KEY.toUpperCase() };
    expect(complaintsOf(() => loadConfig({ ...strong, ...keys }))).toMatch(/holds ENCRYPTION_KEY itself/);
  });

  it('accepts what openssl makes, always', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 48, maxLength: 48 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (a, b) => {
          // Arrays of one repeated number are what the property tool likes to try, and what openssl never makes.
          fc.pre(new Set(a).size > 30 && new Set(b).size > 20);
          const keys = {
            JWT_SECRET: Buffer.from(a).toString('base64'),
            ENCRYPTION_KEY: Buffer.from(b).toString('hex'),
          };
          expect(complaintsOf(() => loadConfig({ ...strong, ...keys }))).toBe('');
        },
      ),
    );
  });
});

describe('the .env file', () => {
  it('gives what the process does not; an empty variable of the process hides it', () => {
    const file = path.join(folder(), 'env');
    writeFileSync(file, 'PORT=4000\nHOST="0.0.0.0" # all\nREDIS_HOST=r\n');
    expect(environmentWithFile({ ENV_FILE: file, PORT: '5000', REDIS_HOST: '' })).toMatchObject({
      PORT: '5000',
      HOST: '0.0.0.0',
      REDIS_HOST: '',
    });
  });

  it('may be absent, unless it was named', () => {
    expect(() => environmentWithFile({ ENV_FILE: '/nonexistent/env' })).toThrow(/ENV_FILE names \/nonexistent\/env/);
    expect(environmentWithFile({ ENV_FILE: '/dev/null', A: '1' })).toEqual({ ENV_FILE: '/dev/null', A: '1' });
  });
});

describe('documentation', () => {
  const read = (name: string) => readFileSync(path.join(projectRoot, name), 'utf8');

  it('.env.example and docs/ENVIRONMENT.md are what the table says (npm run docs:env)', () => {
    expect(read('.env.example')).toBe(envExample());
    expect(read('docs/ENVIRONMENT.md')).toBe(environmentDocument());
  });

  it('documents every variable, and .env.example is itself a valid configuration', () => {
    for (const name of Object.keys(SETTINGS)) expect(read('docs/ENVIRONMENT.md')).toContain(`| \`${name}\` |`);
    const example = environmentWithFile({ ENV_FILE: path.join(projectRoot, '.env.example') });
    expect(loadConfig(example)).toMatchObject({ embedded: false, redis: { host: 'localhost', port: 6379 } });
  });
});

describe('the data folder', () => {
  it('is made with all above it', () => {
    const dir = path.join(folder(), 'a', 'b');
    openDataDirectory(dir);
    openDataDirectory(dir);
    expect(statSync(dir).isDirectory()).toBe(true);
  });

  it('may be named where nobody can make one', () => {
    const file = path.join(folder(), 'file');
    writeFileSync(file, '');
    expect(() => openDataDirectory(file)).toThrow(DataDirectoryError);
    expect(() => openDataDirectory(path.join(file, 'below'))).toThrow(DataDirectoryError);
    // Regression: the start hung for ever and heard no signal.
    if (process.platform === 'linux') expect(() => openDataDirectory('/proc/nope/data')).toThrow(DataDirectoryError);
  });

  it('refuses a folder on a full disk, where an empty file can still be made, and leaves nothing in it', () => {
    const dir = folder();
    const full = ((file: string, data: string | Buffer) => {
      writeFileSync(file, '');
      if (data.length > 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    }) as typeof writeFileSync;
    expect(() => openDataDirectory(dir, full)).toThrow(
      `The data folder ${dir} cannot be written (ENOSPC): its disk is full, make room on it, or set DATA_DIR to another folder.`,
    );
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('generated secrets', () => {
  it('are made once, for this user only', () => {
    const dir = folder();
    const first = openSecrets(dir);
    expect(openSecrets(dir)).toEqual(first);
    expect(first.encryptionKey).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(path.join(dir, 'secrets.json')).mode & 0o777).toBe(0o600);
    rememberPort(dir, first, 5999);
    expect(openSecrets(dir)).toEqual({ ...first, postgres: { ...first.postgres, port: 5999 } });
    expect(openSecrets(folder()).jwtSecret).not.toBe(first.jwtSecret);
  });

  it.each(['', '{', 'null', '{}', '{"jwtSecret":1}'])('says what to do about a damaged file (%s)', (content) => {
    const dir = folder();
    writeFileSync(path.join(dir, 'secrets.json'), content);
    expect(() => openSecrets(dir)).toThrow(DataDirectoryError);
    expect(() => openSecrets(dir)).toThrow(/restore it from a backup, or delete/);
  });
});
