import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  freePort,
  ownFolder,
  serverEnvironment,
  signup,
  spawnServer,
  sql,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type TestDatabases,
} from '../harness/index.js';

/** What a start that must fail printed, in one line, and its exit code. */
async function failingStart(env: Readonly<Record<string, string>>) {
  const node = await spawnServer(env);
  const { code } = await node.ended;
  return { code, said: node.output().trim() };
}

/** Somebody else's program on a port. */
const occupy = (port: number) =>
  new Promise<net.Server>((resolve) => {
    const server = net.createServer().listen(port, '127.0.0.1', () => resolve(server.unref()));
  });

describe('a server process', () => {
  it('answers, and stops with exit code 0 on SIGTERM', async () => {
    const node = await startNode();
    expect((await client(node.base).get('/health')).status).toBe(200);
    const ending = await node.term();
    expect(ending).toMatchObject({ code: 0, signal: null });
    expect(ending.ms).toBeLessThan(10_000);
  });

  it('keeps what it acknowledged through kill -9', async () => {
    const pair = await databases();
    const first = await startNode({ databases: pair });
    const person = await signup(first.base);
    await first.kill9();
    const second = await startNode({ databases: pair });
    const login = await client(second.base).post('/auth/login', { email: person.email, password: person.password });
    expect(login.status).toBe(200);
  });

  it('migrates fresh databases, also when two nodes start at once', async () => {
    const pair = await databases({ migrated: false });
    const nodes = await Promise.all([startNode({ databases: pair }), startNode({ databases: pair })]);
    for (const node of nodes) expect((await client(node.base).get('/health')).status).toBe(200);
    expect(await sql(pair.main, 'select name from _migrations')).not.toHaveLength(0);
  });
});

it('a server waits for a database that takes connections and does not answer yet', async () => {
  const pair = await databases();
  const proxy = await tcpProxy(pair.main);
  proxy.swallow();
  const starting = startNode({ databases: pair, env: { DB_HOST: proxy.host, DB_PORT: String(proxy.port) } });
  // Longer than it waits for one answer.
  await new Promise((resolve) => setTimeout(resolve, 9_000));
  await proxy.mend();
  expect((await client((await starting).base).get('/health')).status).toBe(200);
});

describe('a start that cannot succeed says what to do, in one sentence', () => {
  it('port in use', async () => {
    const port = await freePort();
    const other = await occupy(port);
    const { code, said } = await failingStart({ ...(await serverEnvironment({})), PORT: String(port) });
    other.close();
    expect(said).toMatch(new RegExp(`^Port ${port} is in use by another program: .*PORT=${port + 1} npm start`));
    expect([code, said.split('\n')]).toEqual([1, [expect.any(String)]]);
  });

  it('database down', async () => {
    const env = { ...(await serverEnvironment({})), MINI_DB_PORT: String(await freePort()) };
    const { code, said } = await failingStart(env);
    expect(said).toMatch(/^The mini database \S+ at 127\.0\.0\.1:\d+ cannot be reached: start PostgreSQL/);
    expect([code, said.split('\n')]).toEqual([1, [expect.any(String)]]);
  });

  it('wrong password, which is not printed', async () => {
    const { code, said } = await failingStart({ ...(await serverEnvironment({})), DB_PASSWORD: 'not the password' });
    expect(said).toMatch(
      /^The main database .* refuses to sign in live_tables: correct DB_USERNAME and DB_PASSWORD\.$/,
    );
    expect(said).not.toContain('not the password');
    expect(code).toBe(1);
  });

  it('no such database, no such host', async () => {
    const env = await serverEnvironment({});
    expect((await failingStart({ ...env, DB_DATABASE: 'nowhere' })).said).toMatch(
      /nowhere at .* does not exist: create it/,
    );
    expect((await failingStart({ ...env, DB_HOST: 'db.invalid' })).said).toMatch(/no address is known for db\.invalid/);
  });

  it('a mini database that is not the one of the main database, in which nothing is made then', async () => {
    const [pair, others] = [await databases(), await databases({ migrated: false })];
    const started = async (mini: TestDatabases['mini']) =>
      failingStart(await serverEnvironment({ databases: { main: pair.main, mini } }));
    const node = await startNode({ databases: pair });
    const { owner, base } = await world(node.base);
    const { code, said } = await started(others.mini);
    expect(said).toMatch(
      new RegExp(`^The mini database ${others.mini.database} at \\S+ holds none of the bases that the main database ${pair.main.database} at`), // prettier-ignore
    );
    expect([code, said.split('\n')]).toEqual([1, [expect.any(String)]]);
    const tables = await sql(others.mini, `select 1 from pg_class where relnamespace = 'public'::regnamespace`);
    expect(tables).toEqual([]);
    // What is in the trash may be gone from there, as in the middle of its purge.
    expectStatus(await owner.del(`/bases/${base.id}`), 204);
    await startNode({ databases: { main: pair.main, mini: others.mini } });
  });

  it('production with weak secrets, and with a superuser', async () => {
    const pair = await databases();
    const env = { ...(await serverEnvironment({ databases: pair })), NODE_ENV: 'production' };
    expect((await failingStart({ ...env, JWT_SECRET: 'changeme' })).said).toMatch(/JWT_SECRET is too short/);
    await asSuperuser('postgres', (admin) =>
      admin.query("create role chief superuser login password 'vK2-mT9qLw4xZr'"),
    );
    const { code, said } = await failingStart({
      ...env,
      MINI_DB_USERNAME: 'chief',
      MINI_DB_PASSWORD: 'vK2-mT9qLw4xZr',
    });
    await asSuperuser('postgres', (admin) => admin.query('drop role chief'));
    expect(said).toMatch(/^The mini database .* superuser chief, which production refuses: set MINI_DB_USERNAME/);
    expect(code).toBe(1);
  });

  it('a data folder that cannot be written', async () => {
    const file = `${ownFolder('file')}/data`;
    writeFileSync(file, '');
    const { code, said } = await failingStart({
      ...(await serverEnvironment({})),
      DATA_DIR: `${file}/below`,
      JWT_SECRET: '',
    });
    expect(said).toMatch(/^The data folder \S+ cannot be written \(ENOTDIR\): .* set DATA_DIR to another folder\.$/);
    expect(code).toBe(1);
  });
});

describe('embedded databases', () => {
  const environment = () => {
    const dataDir = ownFolder('embedded');
    return {
      dataDir,
      env: { NODE_ENV: 'development', ENV_FILE: '/dev/null', PORT: '0', LOG_LEVEL: 'error', DATA_DIR: dataDir },
    };
  };
  const started = async (env: Readonly<Record<string, string>>) => {
    const node = await spawnServer(env);
    const base = await Promise.race([node.ready, node.ended.then(() => undefined)]);
    if (base === undefined) throw new Error(node.output());
    return { ...node, base };
  };

  it('need nothing, survive kill -9, and stop with the server', async () => {
    const { env } = environment();
    const first = await started(env);
    expect(first.output()).toMatch(/Swagger +http:\/\/localhost:\d+\/api\/docs/);
    const person = await signup(first.base);
    await first.kill9();

    const second = await started(env);
    expect(second.output()).toMatch(/Stopped the PostgreSQL that an earlier run had left behind/);
    const databases = (text: string) => text.match(/postgresql:.*/g);
    expect(databases(second.output())).toEqual(databases(first.output()));
    const login = () => client(second.base).post('/auth/login', { email: person.email, password: person.password });
    expect((await login()).status).toBe(200);

    const beside = await failingStart(env);
    expect(beside.said).toMatch(/^Live Tables already runs in this folder \(process \d+, http:\/\/127\.0\.0\.1:\d+/);
    expect((await login()).status).toBe(200);

    const port = Number(/127\.0\.0\.1:(\d+)\/live_tables_main/.exec(second.output())?.[1]);
    const ending = await second.term();
    expect(ending).toMatchObject({ code: 0 });
    expect(ending.ms).toBeLessThan(10_000);
    await expect(
      new Promise((resolve, reject) => net.connect(port, '127.0.0.1', () => resolve('open')).on('error', reject)),
    ).rejects.toThrow(/ECONNREFUSED/);
  });

  it('come back by themselves when PostgreSQL is killed', async () => {
    const { env } = environment();
    const node = await started(env);
    const person = await signup(node.base);
    const postmaster = Number(readFileSync(`${env.DATA_DIR}/postgres/postmaster.pid`, 'utf8').split('\n')[0]);
    process.kill(postmaster, 'SIGKILL');
    const { email, password } = person;
    const login = () => client(node.base).post('/auth/login', { email, password });
    await waitFor(() => node.output().includes('was started again'), 90_000);
    await waitFor(async () => (await login()).status === 200, 10_000);
    expect((await node.term()).code).toBe(0);
  });

  it('survive the death of both, as in a power cut', async () => {
    const { env } = environment();
    const node = await started(env);
    const { email, password } = await signup(node.base);
    process.kill(Number(readFileSync(`${env.DATA_DIR}/postgres/postmaster.pid`, 'utf8').split('\n')[0]), 'SIGKILL');
    await node.kill9();
    const again = await started(env);
    expect((await client(again.base).post('/auth/login', { email, password })).status).toBe(200);
    expect((await again.term()).code).toBe(0);
  });

  it('take another port when theirs is taken, and forget a stranger in postmaster.pid', async () => {
    const { env, dataDir } = environment();
    const first = await started(env);
    const port = Number(/127\.0\.0\.1:(\d+)\/live_tables_main/.exec(first.output())?.[1]);
    await first.term();
    const other = await occupy(port);
    // After a reboot the number in the file may be anybody's: here it is this test's own process.
    writeFileSync(`${dataDir}/postgres/postmaster.pid`, `${process.pid}\n${dataDir}/postgres\n1\n${port}\n`);
    chmodSync(`${dataDir}/postgres/postmaster.pid`, 0o600);
    const second = await started(env);
    expect(second.output()).not.toContain(`127.0.0.1:${port}/`);
    other.close();
    expect((await second.term()).code).toBe(0);
  });

  it('teach their cluster a new password when secrets.json was lost', async () => {
    const { env, dataDir } = environment();
    await (await started(env)).term();
    rmSync(`${dataDir}/secrets.json`);
    const again = await started(env);
    expect((await client(again.base).get('/health')).status).toBe(200);
    expect((await again.term()).code).toBe(0);
  });

  it('serve only the database that is not configured', async () => {
    const { env } = environment();
    const { main } = await databases();
    const { DB_HOST, DB_PORT, DB_USERNAME, DB_PASSWORD, DB_DATABASE } = await serverEnvironment({
      databases: { main, mini: main },
    });
    const own = Object.fromEntries(
      Object.entries({ DB_HOST, DB_PORT, DB_USERNAME, DB_PASSWORD, DB_DATABASE }).map(([name, value]) => [
        name,
        value ?? '',
      ]),
    );
    const node = await started({ ...env, ...own });
    await signup(node.base);
    expect(await sql(main, 'select 1 from users')).toHaveLength(1);
    expect((await node.term()).code).toBe(0);
  });
});
