import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import {
  expectStatus,
  member,
  sql,
  startApp,
  world,
  type Column,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { reverting } from '../support/reverting.js';
import { refusal } from '../support/rows.js';

let app: TestApp;
let at: World;
beforeAll(async () => {
  app = await startApp();
  at = await world(app.base);
}, 60_000);

const { ask, dryRun, entryOf, takeBack } = reverting(() => at);
const newTable = async (name: string): Promise<Table> =>
  expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name }), 201);
const newColumn = async (table: Table, body: object): Promise<Column> =>
  expectStatus(await at.owner.post<Column>(`/tables/${table.id}/columns`, body), 201);
const tableNow = async ({ id }: Table): Promise<Table> => expectStatus(await at.owner.get<Table>(`/tables/${id}`), 200);
const columnNow = async (table: Table, { id }: Column): Promise<Column> =>
  must(
    (await tableNow(table)).columns.find((each) => each.id === id),
    'the column',
  );

describe('a change of metadata is taken back', () => {
  it('by setting what it changed, and that can be taken back as well', async () => {
    const table = await newTable('People');
    const column = await newColumn(table, {
      name: 'State',
      type: 'single_select',
      options: { choices: [{ label: 'Open', color: 'green' }] },
    });
    const { options: before } = await columnNow(table, column);
    const path = `/tables/${table.id}/columns/${column.id}`;
    const choices = [...(before as { choices: object[] }).choices, { label: 'Shut' }];
    expectStatus(await at.owner.patch(path, { name: 'Status', required: false, options: { choices } }), 200);
    const entry = await entryOf(column.id, 'column.updated');
    const { confirmToken, ...tried } = await dryRun(entry);
    expect(confirmToken).toEqual(expect.any(String));
    expect(tried).toMatchObject({
      does: 'update',
      resource: { type: 'column', id: column.id, name: 'Status' },
      conflicts: [],
      skipped: [],
    });
    expect(tried.fields.map(({ field }) => field).sort()).toEqual(['name', 'options']);
    expect(await columnNow(table, column)).toMatchObject({ name: 'Status' });
    expect(refusal(await ask(entry, {}))[1]).toBe('confirmation_required');
    await takeBack(entry);
    expect(await columnNow(table, column)).toMatchObject({ name: 'State', options: before });
    // Once more: it is as it was.
    expect(await dryRun(entry)).toMatchObject({ does: 'nothing', fields: [], conflicts: [] });
    await takeBack(await entryOf(column.id, 'column.updated'));
    expect((await columnNow(table, column)).name).toBe('Status');
  });

  it('by setting a formula, which reads the columns that it read then', async () => {
    const table = await newTable('Sums');
    const net = await newColumn(table, { name: 'Net', type: 'integer' });
    const made = await newColumn(table, { name: 'Gross', type: 'formula', options: { formula: '{net} + 1' } });
    const { options: before } = await columnNow(table, made);
    const path = `/tables/${table.id}/columns/${made.id}`;
    expectStatus(await at.owner.patch(path, { options: { formula: '7' } }), 200);
    await takeBack(await entryOf(made.id, 'column.updated'));
    expect((await columnNow(table, made)).options).toEqual(before);
    // What it read has gone, and another column is called so.
    await takeBack(await entryOf(made.id, 'column.updated'));
    const entry = await entryOf(made.id, 'column.updated');
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${net.id}`), 204);
    await newColumn(table, { name: 'Net', type: 'integer' });
    const { confirmToken } = await dryRun(entry);
    expect(refusal(await ask(entry, { confirmToken }))[1]).toBe('formula_invalid');
    expect((await columnNow(table, made)).options).toMatchObject({ formula: '7' });
  });

  it('by the trash and out of it, with all rows', async () => {
    const table = await newTable('Orders');
    const column = await newColumn(table, { name: 'Qty', type: 'integer' });
    const made = await at.owner.post<{ id: string }>(`/tables/${table.id}/rows`, { fields: { qty: 7 } });
    const { id: rowId } = expectStatus(made, 201);
    const row = async () =>
      expectStatus(await at.owner.get<{ fields: object }>(`/tables/${table.id}/rows/${rowId}`), 200).fields;
    expect(await takeBack(await entryOf(column.id, 'column.created'))).toMatchObject({ does: 'delete', fields: [] });
    expect(await row()).not.toHaveProperty('qty');
    expect(await takeBack(await entryOf(column.id, 'column.deleted'))).toMatchObject({ does: 'restore' });
    expect(await row()).toHaveProperty('qty', 7);
    expectStatus(await at.owner.del(`/tables/${table.id}`), 204);
    await takeBack(await entryOf(table.id, 'table.deleted'));
    expect(await row()).toHaveProperty('qty', 7);
    const base = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Other' });
    const { id: baseId } = expectStatus(base, 201);
    await takeBack(await entryOf(baseId, 'base.created'));
    expectStatus(await at.owner.get(`/bases/${baseId}`), 404);
    await takeBack(await entryOf(baseId, 'base.deleted'));
    expectStatus(await at.owner.get(`/bases/${baseId}`), 200);
    // What is not in the trash any more cannot come out of it.
    const stale = await dryRun(await entryOf(table.id, 'table.deleted'));
    const entry = await entryOf(table.id, 'table.deleted');
    expect(refusal(await ask(entry, { confirmToken: stale.confirmToken }))[1]).toBe('not_found');
  });

  it('without what was changed once more since, unless that shall be overwritten', async () => {
    const table = await newTable('Tasks');
    const rename = async (body: object) => expectStatus(await at.owner.patch(`/tables/${table.id}`, body), 200);
    await rename({ name: 'Jobs', description: 'What is to be done', color: 'red' });
    const entry = await entryOf(table.id, 'table.updated');
    await rename({ name: 'Work' });
    const tried = await dryRun(entry);
    expect(tried.conflicts).toEqual([{ field: 'name', current: 'Work', value: 'Tasks' }]);
    expect(tried.fields).toHaveLength(2);
    expect(tried.fields).toContainEqual({ field: 'description', current: 'What is to be done', value: null });
    expect(tried.fields).toContainEqual({ field: 'color', current: 'red', value: null });
    // Its confirmation is for that, and for nothing else.
    expect(refusal(await ask(entry, { onConflict: 'overwrite', confirmToken: tried.confirmToken }))[1]).toBe('confirmation_stale'); // prettier-ignore
    await takeBack(entry);
    expect(await tableNow(table)).toMatchObject({ name: 'Work', description: null, color: null });
    const over = await dryRun(entry, { onConflict: 'overwrite' });
    expect(over).toMatchObject({ fields: [{ field: 'name', current: 'Work', value: 'Tasks' }], conflicts: [] });
    await rename({ name: 'Labour' });
    expect(refusal(await ask(entry, { onConflict: 'overwrite', confirmToken: over.confirmToken }))[1]).toBe('confirmation_stale'); // prettier-ignore
    await takeBack(entry, { onConflict: 'overwrite' });
    expect((await tableNow(table)).name).toBe('Tasks');
  });

  it('once only where two do it at the same time', async () => {
    const table = await newTable('Twice');
    const entry = await entryOf(table.id, 'table.created');
    const { confirmToken } = await dryRun(entry);
    const answers = await Promise.all([ask(entry, { confirmToken }), ask(entry, { confirmToken })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404]);
  });

  it('also of a workspace and of views, but for what views ask, which is among their versions', async () => {
    const { id, name } = at.workspace;
    expectStatus(await at.owner.patch(`/workspaces/${id}`, { name: 'Renamed', timeZone: 'Asia/Tokyo' }), 200);
    const done = await takeBack(await entryOf(id, 'workspace.updated'));
    expect(done.fields.map(({ field }) => field).sort()).toEqual(['name', 'timeZone']);
    expect(expectStatus(await at.owner.get(`/workspaces/${id}`), 200)).toMatchObject({ name });
    const definition = { source: { table: at.table.id } };
    const made = await at.owner.post<{ id: string }>(`/workspaces/${id}/views`, { name: 'All', definition });
    const viewId = expectStatus(made, 201).id;
    expectStatus(
      await at.owner.patch(`/views/${viewId}`, { name: 'Some', definition: { ...definition, as: 'd' } }),
      200,
    );
    const back = await takeBack(await entryOf(viewId, 'view.updated'));
    expect(back.fields).toEqual([{ field: 'name', current: 'Some', value: 'All' }]);
    expect(back.skipped).toContain('definition');
    expectStatus(await at.owner.del(`/views/${viewId}`), 204);
    await takeBack(await entryOf(viewId, 'view.deleted'));
    expect(expectStatus(await at.owner.get(`/views/${viewId}`), 200)).toMatchObject({ name: 'All' });
  });

  it('not where options were those of another type, nor what has no way back', async () => {
    const table = await newTable('Typed');
    const column = await newColumn(table, { name: 'Price', type: 'text' });
    const path = `/tables/${table.id}/columns/${column.id}`;
    expectStatus(await at.owner.patch(path, { name: 'Cost', default: 'x' }), 200);
    const entry = await entryOf(column.id, 'column.updated');
    const to = { type: 'integer' };
    const tried = await at.owner.post<{ confirmToken: string }>(`${path}/convert`, {
      to,
      dryRun: true,
      onError: 'null',
    });
    const { confirmToken } = expectStatus(tried, 200);
    expectStatus(await at.owner.post(`${path}/convert`, { to, onError: 'null', confirmToken }), 200);
    const back = await takeBack(entry, { onConflict: 'overwrite' });
    expect(back).toMatchObject({ fields: [{ field: 'name', current: 'Cost', value: 'Price' }], skipped: ['default'] });
    expect(refusal(await ask(await entryOf(column.id, 'column.converted'), { dryRun: true }))[1]).toBe(
      'not_revertible',
    );
    const { id } = at.workspace;
    expect(refusal(await ask(await entryOf(id, 'workspace.created'), { dryRun: true }))[1]).toBe('not_revertible');
  });

  it('of indexes: what was made goes, and what was removed is made again', async () => {
    const table = await newTable('Indexed');
    const column = await newColumn(table, { name: 'Due', type: 'date' });
    const other = await newColumn(table, { name: 'Qty', type: 'integer' });
    const url = `/tables/${table.id}/indexes`;
    const columns = [{ field: 'due', dir: 'desc' }, { field: 'qty' }];
    const { id } = expectStatus(await at.owner.post<{ id: string }>(url, { columns, unique: true }), 202);
    const own = async () => {
      const { data } = expectStatus(await at.owner.get<{ data: { automatic: boolean; state: string; unique: boolean; columns: object[] }[] }>(url), 200); // prettier-ignore
      return data
        .filter(({ automatic, state }) => !automatic && state !== 'dropping')
        .map(({ unique, columns: of }) => ({ unique, of }));
    };
    const [made] = await own();
    expect(made).toMatchObject({ unique: true, of: [{ field: 'due' }, { field: 'qty' }] });
    expect(await takeBack(await entryOf(id, 'index.created'))).toMatchObject({ does: 'delete' });
    expect(await own()).not.toContainEqual(made);
    const removed = await entryOf(id, 'index.deleted');
    expect(await takeBack(removed)).toMatchObject({ does: 'restore' });
    expect(await own()).toContainEqual(made);
    // It is there already; and then a column of it is another one.
    const again = async () => {
      const { confirmToken } = await dryRun(removed);
      return refusal(await ask(removed, { confirmToken }))[1];
    };
    expect(await again()).toBe('conflict');
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${other.id}`), 204);
    await newColumn(table, { name: 'Qty', type: 'integer' });
    expect(await again()).toBe('not_revertible');
    expect(column.key).toBe('due');
  });

  it.each([
    ['an object', { a: [1, null] }],
    ['a list', ['x']],
    ['a text', 'plain'],
  ])('with %s as the default of JSON, also where an older server wrote it down as text', async (what, first) => {
    const table = await newTable(`JSON of ${what}`);
    const column = await newColumn(table, { name: 'Data', type: 'json', default: first });
    const url = `/tables/${table.id}/columns/${column.id}`;
    expectStatus(await at.owner.patch(url, { default: { b: 2 } }), 200);
    const entry = await entryOf(column.id, 'column.updated');
    await takeBack(entry);
    expect((await columnNow(table, column)).default).toEqual(first);
    await takeBack(await entryOf(column.id, 'column.updated'));
    expect((await columnNow(table, column)).default).toEqual({ b: 2 });
    const [told] = await sql<{ before: object }>(app.config.mainDb, 'select before from audit_log where id = $1', [
      entry,
    ]);
    const old = { ...told?.before, default: JSON.stringify(first) };
    await sql(app.config.mainDb, 'update audit_log set before = $2 where id = $1', [entry, JSON.stringify(old)]);
    await takeBack(entry, { onConflict: 'overwrite' });
    expect((await columnNow(table, column)).default).toEqual(first);
  });

  it('with the rights of such changes, within the workspace, and with words for what is wrong', async () => {
    const table = await newTable('Guarded');
    const entry = await entryOf(table.id, 'table.created');
    const [editor, other] = [await member(at, 'editor'), await world(at.owner.base)];
    expectStatus(await ask(entry, { dryRun: true }, editor), 403);
    expectStatus(await ask(entry, { dryRun: true }, other.owner), 404);
    expectStatus(await other.owner.post(`/workspaces/${other.workspace.id}/audit-logs/${entry}/revert`, { dryRun: true }), 404); // prettier-ignore
    for (const body of [{ dryRun: 1 }, { dryRun: true, onConflict: 'maybe' }, { confirmToken: 7 }, { more: 1 }])
      expectStatus(await ask(entry, body), 422);
    expect(refusal(await ask(entry, { confirmToken: 'x' }))[1]).toBe('confirmation_stale');
    // A name that was taken meanwhile.
    expectStatus(await at.owner.patch(`/tables/${table.id}`, { name: 'Guarded 2' }), 200);
    await newTable('Guarded');
    const renamed = await entryOf(table.id, 'table.updated');
    const { confirmToken } = await dryRun(renamed);
    expect(refusal(await ask(renamed, { confirmToken }))[1]).toBe('name_taken');
  });
});
