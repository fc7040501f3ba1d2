import { beforeAll, describe, expect, it } from '@jest/globals';
import { RowsUpkeep } from '../../src/modules/rows/upkeep/rows-upkeep.js';
import {
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  world,
  type Row,
  type TestApp,
  type World,
} from '../harness/index.js';
import { path, refusal } from '../support/rows.js';

let app: TestApp;
let at: World;
beforeAll(async () => {
  app = await startApp({ databases: await databases(), env: { CHANGE_LOG_RETENTION: '30d', TRASH_RETENTION: '10d' } });
  at = await world(app.base);
}, 60_000);

const mini = <T extends object>(text: string) =>
  sql<T>(app.config.miniDb, text.replaceAll('@', `"${at.table.physical.schema}"`));
const add = async (name: string, headers = {}): Promise<Row> =>
  expectStatus(await at.owner.post<Row>(path(at.table), { fields: { name } }, headers), 201);
const sweep = () => app.app.get(RowsUpkeep).sweep();

describe('what was kept for a time', () => {
  it('is removed then: rows of the trash, old changes from the oldest on, answers under keys', async () => {
    const rows = [
      await add('a', { 'idempotency-key': 'k1' }),
      await add('b', { 'idempotency-key': 'k2' }),
      await add('c'),
    ];
    for (const { id } of rows.slice(0, 2)) expectStatus(await at.owner.del(path(at.table, id)), 204);
    expect(await sweep()).toEqual({ rows: 0, changes: 0, answers: 0, imports: 0, marks: 0 });
    const table = `@."${at.table.physical.table}"`;
    await mini(`update ${table} set _deleted_at = now() - interval '11 days' where name = 'a'`);
    await mini(`update ${table} set _deleted_at = now() - interval '9 days' where name = 'b'`);
    await mini(`update @._idempotency set expires_at = now() where name = (select min(name) from @._idempotency)`);
    // Numbers 1 and 3 are old; what lies behind the first that is not stays.
    await mini(`update @._change set at = now() - interval '31 days' where seq in (1, 3)`);
    expect(await sweep()).toEqual({ rows: 1, changes: 1, answers: 1, imports: 0, marks: 0 });
    expect(refusal(await at.owner.post(path(at.table, rows[0]?.id ?? '', 'restore')))).toEqual([404, 'not_found']);
    expectStatus(await at.owner.post(path(at.table, rows[1]?.id ?? '', 'restore')), 200);
    expect((await mini<{ seq: string }>('select seq from @._change order by 1')).map(({ seq }) => Number(seq))).toEqual(
      [2, 3, 4, 5, 6],
    );
    expect(refusal(await at.owner.get(`/tables/${at.table.id}/changes?after=0`))).toEqual([410, 'changes_gone']);
  });

  it('leaves the newest number of a log, however old', async () => {
    await mini(`update @._change set at = now() - interval '31 days'`);
    expect((await sweep())?.changes).toBe(4);
    expect(
      expectStatus(await at.owner.get<{ data: object[] }>(`/tables/${at.table.id}/changes?after=5`), 200).data,
    ).toHaveLength(1);
  });

  it('is removed earlier where the workspace keeps its history for less, and what remains still verifies', async () => {
    const there = await world(app.base);
    const own = (text: string) => sql(app.config.miniDb, text.replaceAll('@', `"${there.table.physical.schema}"`));
    const settings = `/workspaces/${there.workspace.id}`;
    for (const name of ['a', 'b', 'c'])
      expectStatus(await there.owner.post<Row>(path(there.table), { fields: { name } }), 201);
    await own(`update @._change set at = at - interval '8 days' where seq <= 2`);
    expect((await sweep())?.changes).toBe(0);
    expect(refusal(await (await member(there, 'admin')).patch(settings, { historyDays: 7 }))).toEqual([
      403,
      'role_too_low',
    ]);
    for (const historyDays of [0, 1.5, '7', 36_501])
      expect((await there.owner.patch(settings, { historyDays })).status).toBe(422);
    expect(expectStatus(await there.owner.patch(settings, { historyDays: 7 }), 200)).toMatchObject({ historyDays: 7 });
    expect((await sweep())?.changes).toBe(2);
    const verified = await there.owner.get(`/tables/${there.table.id}/history/verify`);
    expect(verified.body).toMatchObject({ ok: true, from: 3, to: 3 });
    const [told] = expectStatus(
      await there.owner.get<{ data: object[] }>(`${settings}/audit-logs?action=workspace.updated`),
      200,
    ).data;
    expect(told).toMatchObject({ before: { historyDays: null }, after: { historyDays: 7 } });
    expect(expectStatus(await there.owner.patch(settings, { historyDays: null }), 200)).toMatchObject({
      historyDays: null,
    });
  });
});
