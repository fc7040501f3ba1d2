/** The benchmark: brings everything up, measures what was asked for, takes everything down. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { killAll, rssOf, start } from './children.mjs';
import { measureConversion } from './convert.mjs';
import { measureExports, measureImports } from './files.mjs';
import { call } from './http-client.mjs';
import { connectExternal, externalQuestion, fillExternal } from './external.mjs';
import { fillLinked, LINKED_FIELDS, makeLinked } from './linked.mjs';
import { interleaved, median, withCpu } from './measure.mjs';
import { SETTINGS, startPostgres } from './postgres.mjs';
import { countQuestions, makePublished, publishedPath } from './published.mjs';
import { makeRuled, RULED_PATHS } from './ruled.mjs';
import * as report from './report.mjs';
import { statementOf, timeStatements } from './statements.mjs';
import { measureStartup } from './startup.mjs';
import { lookupInside, makeViews, measureJoinEngine, viewQuestions, viewStatements } from './views.mjs';
import { cursorBehind, FLOOR_SCHEMA, fill, makeTable } from './world.mjs';

const ALL = [
  'page', 'ruled', 'linked', 'one', 'keyset', 'insert', 'update', 'bulk', 'external', 'views', 'published', 'export', 'import', 'convert', 'fanout500', 'fanout2000', 'start',
]; // prettier-ignore
const POOL = 10;
/** A server that has just begun runs mostly interpreted code; it takes some twenty thousand requests until it is what it stays. */
const WARM_UP = { seconds: 30, enough: 25_000 };

const HELP = `npm run bench -- [options]
  --only ${ALL.join(',')}   what to measure (default: all); fanout is both
  --seconds 3                length of a round
  --rounds 4                 rounds of each side
  --rows 1000000             rows of the table, and of its export
  --import-rows 1000000      lines of the file that is imported
  --convert-rows 1000000     rows of the table of which a column is converted
  --profile <folder>         write CPU profiles of both servers there
  --write                    write bench/RESULTS.md also after a partial run`;

export async function main() {
  const { values: options } = parseArgs({
    options: {
      only: { type: 'string', default: ALL.join(',') },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '4' },
      rows: { type: 'string', default: '1000000' },
      'import-rows': { type: 'string', default: '1000000' },
      'convert-rows': { type: 'string', default: '1000000' },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) return console.log(HELP);
  const only = options.only.split(',').flatMap((name) => (name === 'fanout' ? ['fanout500', 'fanout2000'] : [name]));
  const unknown = only.find((name) => !ALL.includes(name));
  if (unknown) throw new Error(`There is no work "${unknown}": ${ALL.join(', ')}.`);
  const count = Number(options.rows);
  const pace = { seconds: Number(options.seconds), rounds: Number(options.rounds) };

  const startedAt = performance.now();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'live-tables-bench-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user, who has to get in
  let postgres;
  const last = () => {
    killAll();
    postgres?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', last);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])
    process.once(signal, () => process.exit(code));

  postgres = await startPostgres(folder);
  const rows = [];
  const add = (...items) => {
    rows.push(...items);
    report.print(items);
  };
  const world = await bring(postgres, folder, count, options.profile);
  const has = (...names) => names.some((name) => only.includes(name));
  if (has('page', 'ruled', 'linked', 'one', 'keyset', 'insert', 'update', 'bulk', 'external', 'views', 'published'))
    await overHttp(world, has, pace, count, add);
  if (has('export')) add(...exported(await measureExports(world, Math.min(pace.rounds, 2))));
  if (has('import')) add(...imported(await measureImports(world, folder, Number(options['import-rows']))));
  if (has('convert')) add(report.conversionRow(await measureConversion(world, Number(options['convert-rows']))));
  for (const sockets of [500, 2000]) if (has(`fanout${sockets}`)) add(...(await fanOut(world, sockets, pace)));
  await Promise.all([world.ours.stop(), world.floor.stop(), world.load.stop()]);
  await postgres.stop();
  if (has('start')) add(...(await startup(folder)));
  console.log('');
  report.print(rows);
  if (options.write || only.length === ALL.length) {
    const seconds = (performance.now() - startedAt) / 1000;
    const settings = Object.entries(SETTINGS)
      .map((pair) => pair.join(' = '))
      .join(', ');
    report.write(rows, {
      postgres: postgres.version,
      settings,
      command: ['npm run bench', ...process.argv.slice(2)].join(' '),
      seconds,
      count,
    });
    console.log(`\nWritten: bench/RESULTS.md (${Math.round(seconds)} s in all)`);
  }
}

/** Our server, the floor, the generator, and the table of both. */
export async function bring(postgres, folder, count, profile) {
  const { role, databases, port } = postgres;
  const database = (prefix, name) => ({
    [`${prefix}_HOST`]: '127.0.0.1',
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_USERNAME`]: role.user,
    [`${prefix}_PASSWORD`]: role.password,
    [`${prefix}_DATABASE`]: name,
    [`${prefix}_POOL_SIZE`]: String(POOL),
  });
  const execArgv = (name) =>
    profile ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`, `--cpu-prof-name=${name}.cpuprofile`] : [];
  const env = {
    NODE_ENV: 'production',
    ENV_FILE: '/dev/null',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    DATA_DIR: path.join(folder, 'data'),
    ...database('DB', databases.main),
    ...database('MINI_DB', databases.mini),
    JWT_SECRET: randomBytes(48).toString('base64'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    JWT_ACCESS_TOKEN_EXPIRATION: '1d',
    RATE_LIMIT_LIMIT: '1000000000',
    RATE_LIMIT_AUTH_LIMIT: '1000000',
    RATE_LIMIT_EXTERNAL_LIMIT: '1000000000',
    CONNECTIONS_ALLOWED_NETWORKS: '127.0.0.1/32',
    EXTERNAL_POOL_SIZE: String(POOL),
  };
  const ours = await start('../dist/main.js', { env, cwd: folder, execArgv: execArgv('ours') });
  const base = ours.ready.ready;
  const made = await makeTable(base);
  const linked = await makeLinked(base, made);
  console.log(`Loading ${count.toLocaleString('en-US')} rows …`);
  const client = await postgres.asServer();
  const ids = await fill(client, made, count);
  const linkedTables = await fillLinked(client, linked);
  await fillExternal(client, count);
  await client.query('checkpoint').catch(() => undefined); // only with the right to; otherwise it comes when it comes
  await client.end();
  const access = { host: '127.0.0.1', port, user: role.user, password: role.password, database: databases.mini };
  const shop = await connectExternal('Shop', { base, ...made }, access);
  const stock = await connectExternal('Stock', { base, ...made }, access);
  const views = await makeViews({ base, ...made, connections: [shop, stock] }, made.table, linked.companies);
  const floorSettings = {
    database: access,
    poolSize: POOL,
    schema: FLOOR_SCHEMA,
    table: 'deals',
    linked: linkedTables,
  };
  const floor = await start('floor.mjs', {
    env: { BENCH_FLOOR: JSON.stringify(floorSettings), NODE_ENV: 'production' },
    execArgv: execArgv('floor'),
  });
  const load = await start('load.mjs');
  const shared = {
    token: made.token,
    baseId: made.baseId,
    workspaceId: made.workspaceId,
    ids,
    rows: made.rows,
    linked: linked.rows,
    external: `/api/v1/connections/${shop}/query`,
    views,
  };
  return {
    postgres,
    ours,
    floor,
    load,
    table: made.table,
    tables: {
      deals: `"${made.table.physical.schema}"."${made.table.physical.table}"`,
      companies: linkedTables.companies,
    },
    sides: { ours: { ...shared, base }, floor: { ...shared, base: floor.ready.base } },
  };
}

async function overHttp(world, has, { rounds, seconds }, count, add) {
  const { ours, floor, load, sides, postgres } = world;
  const pair = (work, connections, targets = sides, pids = { ours: ours.pid, floor: floor.pid }) => {
    const side = (as) => (warmUp) =>
      withCpu(pids[as], postgres.pids, () =>
        load.ask({ do: 'run', work, as, side: targets[as], connections, ...(warmUp ? WARM_UP : { seconds }) }),
      );
    return interleaved({ rounds, ours: side('ours'), floor: side('floor'), key: 'perSecond' });
  };
  if (has('page')) {
    await assertSamePage(sides);
    add(report.row('page of 100 rows, filter + sort, signed in', await pair('page', 32), '≥ 0.90'));
  }
  if (has('ruled')) {
    const token = await makeRuled({ ...sides.ours, tableId: world.table.id });
    const ruled = { ...sides, ours: { ...sides.ours, token } };
    await assertSame(ruled, RULED_PATHS.ours(sides.ours.rows, 5_000), RULED_PATHS.floor(5_000));
    add(report.row('page of 100 rows under a rule of three leaves', await pair('ruled', 32, ruled), '≥ 0.85'));
  }
  if (has('linked')) {
    await assertSameLinkedPage(sides);
    const name = 'page of 50 rows, two lookups and a rollup';
    add(report.row(`${name}: the statement alone, one connection`, await linkedStatements(world, rounds), '≥ 0.90'));
    add(report.row(name, await pair('linked', 32), '–'));
  }
  if (has('one')) add(report.row('one row by id', await pair('one', 32), '≥ 0.85'));
  if (has('keyset')) {
    const page = Math.floor(count / 100);
    const cursor = await cursorBehind(sides.ours, (page - 1) * 100);
    const result = await pair(
      'keyset',
      1,
      { ours: { ...sides.ours, cursor }, floor: sides.ours },
      { ours: ours.pid, floor: ours.pid },
    );
    add(
      timesRow(`keyset page ${page.toLocaleString('en-US')} (floor: page 1), one client`, result, '≤ 1.2 × its time'),
    );
  }
  if (has('external')) {
    await assertSameExternalPage(sides);
    add(report.row('page of 100 rows of an external PostgreSQL', await pair('external', 32), '≥ 0.85'));
  }
  if (has('views')) {
    for (const [name, result] of await viewStatements(world, rounds))
      add(report.row(`${name}: the statement alone, one connection`, result, '≥ 0.90'));
    await assertSameView(sides, 'joined');
    add(report.row('page of 100 rows of a view, two tables joined', await pair('joined', 32), '–'));
    await assertSameView(sides, 'lookup');
    const lookup = 'lookup join of a page of 100 over two databases';
    add(timesRow(`${lookup}, one client`, await pair('lookup', 1), '–'));
    add(
      timesRow(`${lookup} (floor: its two queries alone)`, await lookupInside(sides.ours, rounds), '≤ 1.5 × its time'),
    );
    add(report.memoryRow('page of a join of rows of two databases in the join engine', await measureJoinEngine(world, Math.min(rounds, 2)))); // prettier-ignore
  }
  if (has('published')) {
    const published = await makePublished(sides.ours, world.table, sides.floor.base);
    const both = { ours: { ...sides.ours, published }, floor: { ...sides.floor, published } };
    await assertSame(both, publishedPath(published, 5_000), '/published?qty=5000');
    const constant = '(floor: a bare server that answers a constant)';
    add(report.row(`published view, 304 ${constant}`, await pair('publishedUnchanged', 32, both), '≥ 0.80'));
    add(report.row(`published view, from memory ${constant}`, await pair('publishedCached', 32, both), '≥ 0.80'));
    const asking =
      '(second floor: the same server, which asks PostgreSQL where the change log stands, once for all who wait)';
    add(report.row(`published view, 304 ${asking}`, await pair('publishedUnchangedAsked', 32, both), '–'));
    add(report.row(`published view, from memory ${asking}`, await pair('publishedCachedAsked', 32, both), '–'));
    add(report.row('published view, another page of 100 rows each time', await pair('published', 32, both), '≥ 0.90'));
    add(report.questionsRow(await countQuestions({ ...world, sides: both })));
  }
  // The writes come last: each side has a table of its own, and until then the same rows are in both.
  if (has('insert')) add(report.row('insert one row, 32 clients', await pair('insert', 32), '≥ 0.80'));
  if (has('update')) add(report.row('update one row, 32 clients', await pair('update', 32), '≥ 0.80'));
  if (has('bulk')) {
    const name = 'bulk insert, 1,000 rows a call, 4 clients';
    add(report.row(name, await pair('bulk', 4), '≥ 0.50', ' calls/s'));
    add(report.row(`${name}, return=minimal`, await pair('bulkMinimal', 4), '≥ 0.50', ' calls/s'));
  }
}

/** Where the aim is a multiple of the floor's time. */
const timesRow = (name, pair, aim) =>
  report.row(
    name,
    { ...pair, ratio: 1 / pair.ratio, cost: 1 / pair.cost, ratios: pair.ratios.map((ratio) => 1 / ratio) },
    aim,
  );

const imported = (results) =>
  results.map(({ onError, count, ours, floor }) =>
    report.transferRow(
      `import of ${report.number(count, 0)} rows, onError=${onError}`,
      [{ ours, floor }],
      count,
      count,
      '≥ 0.40, ≤ 256 MB',
    ),
  );

const exported = ({ count, floorCount, results }) => [
  report.transferRow(`export of ${report.number(count, 0)} rows as CSV`, results, count, floorCount, '–, ≤ 256 MB'),
];

async function linkedStatements({ postgres, sides: { ours, floor } }, rounds) {
  const marks = 'companies';
  const statements = {
    ours: await statementOf(postgres, () => call(ours.base, 'GET', LINKED_PATHS.ours(ours), ours.token), marks),
    floor: await statementOf(postgres, () => call(floor.base, 'GET', LINKED_PATHS.floor), marks),
  };
  const client = await postgres.asServer();
  await client.query('set jit = off');
  const timed = await timeStatements(client, statements, rounds);
  await client.end();
  return timed;
}

const LINKED_PATHS = {
  ours: ({ linked }) => `${linked}?filter=rank.lte.500&sort=-rank&fields=${LINKED_FIELDS}&limit=50`,
  floor: '/linked?rank=500',
};

/** Both have to do the same work: the same rows, in the same order, with the same text for each value. */
const assertSamePage = (sides) =>
  assertSame(
    sides,
    `${sides.ours.rows}?filter=and(qty.lte.5000,status.in.(open,won))&sort=-qty&limit=100`,
    '/page?qty=5000',
  );

const assertSameLinkedPage = (sides) => assertSame(sides, LINKED_PATHS.ours(sides.ours), LINKED_PATHS.floor);

async function assertSameExternalPage({ ours, floor }) {
  const mine = await call(ours.base, 'POST', ours.external, ours.token, externalQuestion(5_000));
  const bare = await call(floor.base, 'POST', '/external?qty=5000', undefined, {});
  same(ours.external, mine, bare);
}

async function assertSameView({ ours, floor }, name) {
  const mine = await call(ours.base, 'POST', ours.views[name], ours.token, viewQuestions[name](500));
  const bare = await call(floor.base, 'POST', `/${name}?qty=500`, undefined, {});
  same(ours.views[name], mine, bare);
}

async function assertSame({ ours, floor }, path, floorPath) {
  const mine = await call(ours.base, 'GET', path, ours.token);
  const bare = await call(floor.base, 'GET', floorPath);
  same(path, mine, bare);
}

function same(path, mine, bare) {
  if (mine.data.length === 0) throw new Error(`There is nothing to compare at ${path}.`);
  if (JSON.stringify(mine.data) !== JSON.stringify(bare.data))
    throw new Error(`The floor's page is another:\n${JSON.stringify(mine.data[0])}\n${JSON.stringify(bare.data[0])}`);
}

async function fanOut({ ours, floor, table, sides, postgres }, count, { rounds, seconds }) {
  const channel = `table:${table.id}`;
  const payload = {
    channel,
    epoch: table.id,
    seq: 123456,
    prev: 123455,
    schemaVersion: 1,
    at: '2026-03-14T15:09:26.535Z',
    changeSet: table.id,
    actor: { id: table.id, name: 'Bench' },
    source: 'api',
    created: [],
    updated: [{ id: table.id, version: 7, fields: { amount: '123.25', notes: 'Change 123 of the row' } }],
    deleted: [],
  };
  const crowd = { ours: await start('sockets.mjs'), floor: await start('sockets.mjs') };
  const memory = {
    ours: await grownBy(ours.pid, () =>
      crowd.ours.ask({ do: 'open', base: sides.ours.base, count, auth: { token: sides.ours.token }, channel }),
    ),
    floor: await grownBy(floor.pid, () => crowd.floor.ask({ do: 'open', base: sides.floor.base, count })),
  };
  const ask = (as, what, options) =>
    crowd[as].ask({
      do: what,
      base: sides[as].base,
      side: { ...sides[as], ...(as === 'floor' ? { payload } : {}) },
      ...options,
    });
  const pids = { ours: ours.pid, floor: floor.pid };
  const flood = (as) => (warmUp) =>
    withCpu(pids[as], postgres.pids, () => ask(as, 'flood', { seconds: warmUp ? Math.min(2, seconds) : seconds }));
  const pair = await interleaved({
    rounds: Math.min(rounds, 4),
    ours: flood('ours'),
    floor: flood('floor'),
    key: 'perSecond',
  });
  const rate = Math.max(1, Math.floor(Math.min(pair.ours.perSecond, pair.floor.perSecond) / count / 3));
  const latency = {
    ours: await ask('ours', 'paced', { seconds: 6, perSecond: rate }),
    floor: await ask('floor', 'paced', { seconds: 6, perSecond: rate }),
  };
  await Promise.all([crowd.ours.stop(), crowd.floor.stop()]);
  const lost = pair.ours.missing + latency.ours.missing;
  const cell = ({ p50, p99 }) => `p50 ${report.milliseconds(p50)}, p99 ${report.milliseconds(p99)}`;
  const name = `fan-out, ${count.toLocaleString('en-US')} sockets of one table`;
  return [
    report.row(name, pair, '≥ 0.90', ' deliveries/s'),
    {
      cells: [
        `${name}: write → delivery at ${rate} writes/s`,
        cell(latency.ours),
        cell(latency.floor),
        '–',
        '–',
        'p99 ≤ 100 ms',
        lost === 0 ? 'none lost' : `${lost} lost`,
      ],
    },
    {
      cells: [
        `${name}: memory (RSS) for each socket that was opened`,
        ...[memory.ours, memory.floor].map((megabytes) => `${report.number((megabytes * 1024) / count, 0)} kB`),
        '–',
        '–',
        '–',
        '1',
      ],
    },
  ];
}

/** How much more memory the process holds after the work, MB. What it had asked the system for before is not seen. */
async function grownBy(pid, work) {
  const before = rssOf(pid);
  await work();
  return rssOf(pid) - before;
}

async function startup(folder) {
  const { first, later, rss } = await measureStartup(folder);
  const seconds = (ms) => `${report.number(ms / 1000, 2)} s`;
  return [
    {
      cells: [
        `start to ready, embedded, second start (first: ${seconds(first)})`,
        seconds(median(later)),
        '–',
        '–',
        '–',
        '≤ 3 s',
        `${later.length}: ${seconds(Math.min(...later))}–${seconds(Math.max(...later))}`,
      ],
    },
    { cells: ['idle memory of the server (RSS)', `${report.number(rss, 0)} MB`, '–', '–', '–', '≤ 200 MB', '1'] },
  ];
}
