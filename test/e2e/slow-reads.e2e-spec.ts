import { describe, expect, it } from '@jest/globals';
import { databases, expectStatus, sleep, sql, startNode, waitFor, world } from '../harness/index.js';

describe('slow reads', () => {
  it('are told in the log with the shape of what was asked, and none of its values', async () => {
    const pair = await databases();
    const node = await startNode({ databases: pair, env: { LOG_LEVEL: 'warn', SLOW_READ_MS: '200' } });
    const { owner, table, workspace } = await world(node.base);
    const { schema, table: physical } = table.physical;
    const path = `/tables/${table.id}/rows?filter=and(name.eq.Hush-hush,amount.gt.4711)&sort=-amount`;
    const read = async (requestId: string): Promise<void> => {
      expectStatus(await owner.get(path, { 'x-request-id': requestId }), 200);
    };
    // Somebody holds the table until the read has waited for it for longer than that.
    const held = sql(
      pair.mini,
      `do $$ begin lock table "${schema}"."${physical}" in access exclusive mode; perform pg_sleep(60); end $$`,
    ).catch(() => undefined);
    const locks = (isGranted: boolean) =>
      sql<{ pid: number }>(
        pair.mini,
        `select l.pid from pg_locks l join pg_class c on c.oid = l.relation
         where l.database = (select oid from pg_database where datname = current_database())
           and c.relname = $1 and l.granted = $2 and (not l.granted or l.mode = 'AccessExclusiveLock')`,
        [physical, isGranted],
      );
    const [holder] = await waitFor(async () => {
      const found = await locks(true);
      return found.length > 0 && found;
    }, 20_000);
    const reading = read('11111111-1111-4111-8111-111111111111');
    await waitFor(async () => (await locks(false)).length > 0, 20_000);
    await sleep(300);
    await sql(pair.mini, 'select pg_cancel_backend($1)', [holder?.pid]);
    await Promise.all([reading, held]);
    const line = await waitFor(() =>
      node
        .output()
        .split('\n')
        .find((each) => each.includes('Slow read')),
    );
    for (const part of [
      '11111111-1111-4111-8111-111111111111',
      workspace.id,
      `${schema}.${physical}`,
      'where and(name.eq,amount.gt) sort -amount,-id',
      '/api/v1/tables/:tableId/rows',
    ])
      expect(line).toContain(part);
    expect(node.output()).not.toMatch(/Hush-hush|4711/);
  }, 120_000);
});
