import { expect, it, jest } from '@jest/globals';
import { databases, pgbouncerBefore, serverEnvironment, spawnServer, sql } from '../harness/index.js';

jest.setTimeout(60_000);

/** What operators are told to write into its settings where a client says more than it takes. */
const DROPS = { ignore_startup_parameters: 'options,statement_timeout,extra_float_digits' };

const ways = [
  ['by transaction', { pool_mode: 'transaction', ...DROPS }, 'gives one session to several clients in turn'],
  ['by session, and drops settings', { pool_mode: 'session', ...DROPS }, 'drops the settings of a session'],
  ['by session, and refuses settings', { pool_mode: 'session' }, 'refuses what a session is told when it begins'],
  ['by statement', { pool_mode: 'statement', ...DROPS }, 'refuses what a session is told when it begins'],
] as const;

it.each(
  ways.flatMap(([way, settings, says]) =>
    (['main', 'mini'] as const).map((which) => [which, way, settings, says] as const),
  ),
)('a pooler before the %s database, %s, stops a start with one sentence', async (which, _way, settings, says) => {
  const pair = await databases({ migrated: false });
  const pooled = await pgbouncerBefore(pair[which], settings);
  const server = await spawnServer(await serverEnvironment({ databases: { ...pair, [which]: pooled } }));
  expect(await server.ended).toMatchObject({ code: 1 });
  const setting = which === 'main' ? 'DB' : 'MINI_DB';
  expect(server.output().trim().split('\n')).toEqual([
    expect.stringMatching(
      `^The ${which} database ${pair[which].database} at 127.0.0.1:${pooled.port} is behind a connection pooler that ${says}.*: set ${setting}_HOST and ${setting}_PORT to PostgreSQL itself\\.$`,
    ),
  ]);
  // Nothing was made in it, and no lock is left behind.
  expect(await sql(pair[which], `select from pg_class where relname in ('_migrations', '_applied')`)).toEqual([]);
  expect(
    await sql(
      pair[which],
      `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    ),
  ).toEqual([]);
});
