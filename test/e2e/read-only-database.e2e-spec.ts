import { randomUUID } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  serverEnvironment,
  spawnServer,
  startNode,
  waitFor,
  world,
  type TestDatabases,
} from '../harness/index.js';

jest.setTimeout(60_000);

/** What a database is like for new connections, as behind a name that leads to a replica for a moment; `cut` ends those that there are. */
async function takesWrites(yes: boolean, { database }: TestDatabases['main']): Promise<void> {
  await asSuperuser('postgres', async (server) => {
    await server.query(`alter database ${database} set default_transaction_read_only = ${yes ? 'off' : 'on'}`);
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
  });
}

describe('a database that takes no writes', () => {
  it.each(['main', 'mini'] as const)('stops a start with one sentence (%s)', async (which) => {
    const pair = await databases();
    await takesWrites(false, pair[which]);
    const server = await spawnServer(await serverEnvironment({ databases: pair }));
    expect(await server.ended).toMatchObject({ code: 1 });
    expect(server.output().trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^The ${which} database ${pair[which].database} at .* takes no writes: reset`)),
    ]);
  });

  it.each(['main', 'mini'] as const)(
    'is one that is away, to nodes that run, until it takes them (%s)',
    async (which) => {
      const pair = await databases();
      const node = await startNode({ databases: pair });
      const { owner, workspace, table } = await world(node.base);
      const write = () =>
        which === 'main'
          ? owner.post(`/workspaces/${workspace.id}/bases`, { name: `Base ${randomUUID()}` })
          : owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } });
      const ready = () => client(node.base).get('/health/ready');
      expectStatus(await write(), 201);

      await takesWrites(false, pair[which]);
      await waitFor(async () => (await ready()).status === 503, 15_000);
      for (let i = 0; i < 5; i++) expect((await write()).body).toMatchObject({ code: 'database_unavailable' });

      // Nobody has to be told: connections are made anew until one takes writes.
      await takesWrites(true, pair[which]);
      await waitFor(async () => (await ready()).status === 200, 15_000);
      for (let i = 0; i < 5; i++) expectStatus(await write(), 201);
    },
  );
});
