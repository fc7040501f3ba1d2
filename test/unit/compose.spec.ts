import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { projectRoot } from '../../src/config/index.js';

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly profiles?: readonly string[];
  readonly build?: string;
  readonly healthcheck: { readonly test: readonly string[]; readonly interval: string; readonly retries: number };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface PgAdminServer {
  readonly Host: string;
  readonly Port: number;
  readonly MaintenanceDB: string;
  readonly Username: string;
  readonly PassFile: string;
}

const read = (name: string) => readFileSync(path.join(projectRoot, name), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const env = parseEnv(read('.env.example')) as Readonly<Record<string, string>>;

describe('docker-compose.yml', () => {
  it.each([
    ['postgres_main', 'postgres:18', '127.0.0.1:5432:5432'],
    ['postgres_mini_db', 'postgres:18', '127.0.0.1:5433:5432'],
    ['redis', 'redis:8', '127.0.0.1:6379:6379'],
    ['mongodb', 'mongo:8', '127.0.0.1:27017:27017'],
    ['mysql', 'mysql:9', '127.0.0.1:3307:3306'],
    ['pgadmin', 'dpage/pgadmin4:9', '127.0.0.1:5050:80'],
  ])('offers %s (%s) at %s, to this machine only', (name, image, port) => {
    expect(service(name)).toMatchObject({ image, ports: [port] });
  });

  it('brings databases only, unless two nodes behind nginx are asked for', () => {
    const behind = Object.entries(compose.services).filter(([, { profiles }]) => profiles);
    expect(behind.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['node_1', ['full']],
      ['node_2', ['full']],
      ['nginx', ['full']],
    ]);
    expect(service('node_1').environment).toMatchObject({ DB_HOST: 'postgres_main', MINI_DB_HOST: 'postgres_mini_db' });
    expect(service('node_1').environment).toEqual(service('node_2').environment);
    expect([service('node_1').ports, service('nginx').ports]).toEqual([undefined, ['127.0.0.1:8080:8080']]);
    for (const [, setting = ''] of read('docker-compose.yml').matchAll(/\$\{(\w+)/g))
      expect(env).toHaveProperty(setting);
  });

  it('checks the health of every service and keeps its data in a named volume', () => {
    for (const [name, { healthcheck, volumes }] of Object.entries(compose.services)) {
      if (name === 'nginx') continue; // keeps nothing
      expect([name, healthcheck.test.length > 1, healthcheck.retries > 0]).toEqual([name, true, true]);
      const named = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => !source.startsWith('.'));
      expect(named.length).toBeGreaterThan(0);
      for (const volume of named) expect(Object.keys(compose.volumes)).toContain(volume);
    }
  });

  it('mounts only files that exist, and declares no volume in vain', () => {
    const volumes = Object.values(compose.services).flatMap((each) =>
      each.volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    for (const file of volumes.filter((source) => source.startsWith('.')))
      expect(existsSync(path.join(projectRoot, file))).toBe(true);
    for (const declared of Object.keys(compose.volumes)) expect(volumes).toContain(declared);
  });

  it.each([
    ['postgres_main', 'DB', 'live_tables_main'],
    ['postgres_mini_db', 'MINI_DB', 'live_tables_mini_db'],
  ])('%s is what .env.example says about %s_*, with a role that is no superuser', (name, prefix, database) => {
    const { environment, ports } = service(name);
    expect(environment).toMatchObject({
      APP_USERNAME: env[`${prefix}_USERNAME`],
      APP_PASSWORD: env[`${prefix}_PASSWORD`],
      APP_DATABASE: env[`${prefix}_DATABASE`],
    });
    expect(env).toMatchObject({ [`${prefix}_DATABASE`]: database, [`${prefix}_HOST`]: 'localhost' });
    expect(ports?.[0]?.split(':')[1]).toBe(env[`${prefix}_PORT`]);
    expect(environment?.POSTGRES_USER).not.toBe(environment?.APP_USERNAME);
    expect(read('docker/postgres/init.sh')).not.toMatch(/superuser/i);
  });

  it('redis is what .env.example says', () => {
    expect(service('redis').ports?.[0]).toBe(`127.0.0.1:${env.REDIS_PORT ?? ''}:6379`);
    expect(env).toMatchObject({ REDIS_HOST: 'localhost', REDIS_PASSWORD: '', REDIS_TLS: 'false' });
  });
});

describe('pgAdmin', () => {
  const { Servers } = JSON.parse(read('docker/pgadmin/servers.json')) as {
    readonly Servers: Readonly<Record<string, PgAdminServer>>;
  };
  const passwords = read('docker/pgadmin/pgpass')
    .trim()
    .split('\n')
    .map((line) => line.split(':'));

  it('signs in as the address that the documentation names, and finds its files', () => {
    const { environment, volumes, depends_on } = service('pgadmin');
    expect(environment).toMatchObject({
      PGADMIN_DEFAULT_EMAIL: 'admin@livetables.com',
      PGADMIN_DEFAULT_PASSWORD: 'admin123',
    });
    const mounted = volumes.map((volume) => volume.split(':')[1]);
    expect(mounted).toEqual(expect.arrayContaining([environment?.PGADMIN_SERVER_JSON_FILE, environment?.PGPASS_FILE]));
    expect(Object.values(depends_on ?? {}).map(({ condition }) => condition)).toEqual([
      'service_healthy',
      'service_healthy',
    ]);
  });

  it('knows both databases, with their passwords', () => {
    expect(Object.values(Servers).map(({ Host }) => Host)).toEqual(['postgres_main', 'postgres_mini_db']);
    for (const { Host, Port, MaintenanceDB, Username, PassFile } of Object.values(Servers)) {
      const { environment } = service(Host);
      // The image copies PGPASS_FILE to this name in the user's storage, which PassFile is relative to.
      expect(PassFile).toBe('/.pgpass');
      expect([Username, MaintenanceDB]).toEqual([environment?.APP_USERNAME, environment?.APP_DATABASE]);
      expect(passwords).toContainEqual([Host, String(Port), '*', Username, environment?.APP_PASSWORD]);
    }
  });
});
