import { describe, expect, it } from '@jest/globals';
import { expectStatus, member, socket, type ProblemBody, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, seq, tag } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, proveLog } = fixture;

const remove = async (table: Table, { id }: Row): Promise<number> => {
  const answer = await fixture.owner.del(path(table, id));
  expectStatus(answer, 204);
  return seq(answer);
};
const restore = (table: Table, { id }: Row) => fixture.owner.post<Row & ProblemBody>(path(table, id, 'restore'));
const read = async (table: Table, { id }: Row): Promise<Row> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200);

describe('a row in the trash', () => {
  it('comes back with all that it held, in a version of its own, and is told of live', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 3, amount: '1.20', notes: 'kept', due: '2026-11-26' });
    const deletedAt = await remove(table, row);
    const listener = await socket(fixture.app.base, fixture.owner.token);
    await listener.ask('subscribe', { channel: `table:${table.id}` });
    const back = await restore(table, row);
    expect(expectStatus(back, 200)).toMatchObject({
      id: row.id,
      version: 3,
      fields: row.fields,
      createdAt: row.createdAt,
    });
    expect([tag(back), seq(back)]).toEqual(['"3"', deletedAt + 1]);
    expect(await read(table, row)).toEqual(back.body);
    const { payload: event } = await listener.until(({ name }) => name === 'data:update');
    expect(event).toMatchObject({
      seq: deletedAt + 1,
      created: [{ id: row.id, version: 3, restored: true, fields: row.fields }],
    });
    await proveLog(table);
  });

  it('cannot be restored twice, nor one that never was; a viewer cannot at all', async () => {
    const table = await newTable();
    const row = await add(table, {});
    expect(refusal(await restore(table, row))).toEqual([409, 'conflict']);
    await remove(table, row);
    const viewer = await member(fixture.at, 'viewer');
    expect((await viewer.post(path(table, row.id, 'restore'))).status).toBe(403);
    const answers = await Promise.all(Array.from({ length: 8 }, () => restore(table, row)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(7).fill(409)]);
    expect(refusal(await restore(table, { ...row, id: table.id }))).toEqual([404, 'not_found']);
    const other = await newTable();
    expect(refusal(await restore(other, row))).toEqual([404, 'not_found']);
    await proveLog(table);
  });

  it('stays there while another row has its unique value', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'k' });
    await remove(table, row);
    const heir = await add(table, { code: 'k' });
    expect(refusal(await restore(table, row))).toEqual([409, 'unique_violation', '/fields/code unique_violation']);
    await remove(table, heir);
    expectStatus(await restore(table, row), 200);
    await proveLog(table);
  });

  it('gets back the links that are still possible, and both sides know', async () => {
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const teams = await newTable([{ name: 'Name', type: 'text' }]);
    const link = (options: object) => ({ name: 'Lead', type: 'link', options: { tableId: people.id, ...options } });
    const column = async (body: object) =>
      expectStatus(await fixture.owner.post(`/tables/${teams.id}/columns`, body), 201);
    await column({ ...link({ inverseName: 'Teams' }), name: 'Members' });
    await column(link({ multiple: false, inverseName: 'Leads' }));
    const [a, b, c] = [
      await add(people, { name: 'a' }),
      await add(people, { name: 'b' }),
      await add(people, { name: 'c' }),
    ];
    const team = await add(teams, { name: 'red', members: [c.id, a.id, b.id], lead: [a.id] });
    await remove(teams, team);
    expect((await read(people, a)).fields).toMatchObject({ teams: [], leads: [] });
    await remove(people, b);
    const back = expectStatus(await restore(teams, team), 200);
    expect(back.fields).toEqual({ name: 'red', members: [c.id, a.id], lead: [a.id] });
    expect((await read(people, a)).fields).toEqual({ name: 'a', teams: [team.id], leads: [team.id] });
    expect(expectStatus(await restore(people, b), 200).fields).toEqual({ name: 'b', teams: [], leads: [] });
    await proveLog(teams);
    await proveLog(people);
  });

  it('takes no linked row from another that was given it meanwhile, and may be linked with itself', async () => {
    const tasks = await newTable([{ name: 'Name', type: 'text' }]);
    const parts = { name: 'Parts', type: 'link', options: { tableId: tasks.id, inverseName: 'Whole' } };
    const made = expectStatus(await fixture.owner.post<{ id: string }>(`/tables/${tasks.id}/columns`, parts), 201);
    const single = {
      name: 'Twin',
      type: 'link',
      options: { tableId: tasks.id, multiple: false, inverseName: 'Twin of' },
    };
    expectStatus(await fixture.owner.post(`/tables/${tasks.id}/columns`, single), 201);
    expect(made.id).toBeTruthy();
    const [x, y] = [await add(tasks, { name: 'x' }), await add(tasks, { name: 'y' })];
    const whole = await add(tasks, { name: 'w', parts: [x.id, y.id] });
    expectStatus(
      await fixture.owner.patch(path(tasks, whole.id), { fields: { parts: { $add: [whole.id] }, twin: [whole.id] } }),
      200,
    );
    await remove(tasks, whole);
    const back = expectStatus(await restore(tasks, whole), 200);
    expect(back.fields).toMatchObject({ parts: [x.id, y.id, whole.id], whole: [whole.id], twin: [whole.id] });
    expect(await read(tasks, whole)).toEqual(back);
    await proveLog(tasks);
  });
});
