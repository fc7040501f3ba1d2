import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, type Client, type Column, type Row, type Table } from '../harness/index.js';
import { path, rowsFixture, type Page } from '../support/rows.js';
import { code, dealsIn, member, OPEN, putRules, seesOpen, type MemberOf } from '../support/rules.js';

const fixture = rowsFixture();
const deals = () => dealsIn(fixture);

let editor: MemberOf;
let viewer: MemberOf;
beforeAll(async () => {
  const { owner, at } = fixture;
  [editor, viewer] = await Promise.all([
    member(owner, at.workspace.id, 'editor'),
    member(owner, at.workspace.id, 'viewer'),
  ]);
});

interface History {
  readonly data: readonly {
    readonly seq: number;
    readonly rowId: string | null;
    readonly op: string;
    readonly version: number;
    readonly changes: readonly { column: { key: string }; before: unknown; after: unknown }[];
  }[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}

const get = async <T = Page>(who: Client, at: string): Promise<T> => expectStatus(await who.get<T>(at), 200);
const history = (who: Client, { id }: Table, query = '') => get<History>(who, `/tables/${id}/history?${query}`);
const ofRow = (who: Client, table: Table, id: string) => get<History>(who, `${path(table, id)}/history`);
const patch = async (table: Table, { id }: Row, fields: object): Promise<Row> =>
  expectStatus(await fixture.owner.patch<Row>(path(table, id), { fields }), 200);
/** `seq op keys` of each entry. */
const told = ({ data }: History): string[] =>
  data.map(({ op, version, changes }) => `${op} ${version}: ${changes.map(({ column }) => column.key).join()}`);

describe('a history', () => {
  it('tells of rows that are seen today, in columns that are seen, and not of the structure', async () => {
    const { table, rows } = await deals();
    const { owner } = fixture;
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    await patch(table, rows[0], { name: 'seen', notes: 'secret too' });
    await patch(table, rows[0], { notes: 'secret alone' });
    await patch(table, rows[1], { name: 'unseen' });
    await patch(table, rows[2], { status: 'won', name: 'gone' });
    await patch(table, rows[3], { status: 'open' });
    for (const who of [editor, viewer]) {
      const all = await history(who, table);
      expect(new Set(all.data.map(({ rowId }) => rowId))).toEqual(new Set([rows[0].id, rows[3].id]));
      expect(told(all)).toEqual([
        'update 2: status',
        'update 2: name',
        'create 1: name,qty,status',
        'create 1: name,qty,status',
      ]);
      expect(JSON.stringify(all)).not.toMatch(/secret|unseen|gone|shout/i);
      expect(told(await ofRow(who, table, rows[0].id))).toEqual(['update 2: name', 'create 1: name,qty,status']);
      expect(code(await who.get(`${path(table, rows[1].id)}/history`))).toBe('404 not_found');
      expect(code(await who.get(`${path(table, rows[2].id)}/history`))).toBe('404 not_found');
    }
    const whole = await history(owner, table, 'limit=100');
    expect(whole.data.filter(({ op }) => op === 'schema').length).toBeGreaterThan(0);
    expect(JSON.stringify(whole)).toContain('secret alone');
  });

  it('of rows in the trash is that of rows that were seen when they went; where that hung on links, nobody knows', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const people = await fixture.newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    const [one, two] = [
      await fixture.add(people, { name: 'a', deals: [rows[0].id] }),
      await fixture.add(people, { name: 'b' }),
    ];
    await putRules(owner, table, seesOpen);
    await putRules(owner, people, { name: 'free', read: { filter: { field: 'deals', op: 'isEmpty' } } });
    for (const { id } of [rows[0], rows[1]]) expectStatus(await owner.del(path(table, id)), 204);
    for (const { id } of [one, two]) expectStatus(await owner.del(path(people, id)), 204);
    expect((await ofRow(editor, table, rows[0].id)).data[0]).toMatchObject({ op: 'delete' });
    expect(code(await editor.get(`${path(table, rows[1].id)}/history`))).toBe('404 not_found');
    expect((await history(editor, people)).data).toEqual([]);
    expect((await get(editor, `${path(people)}?trashed=true`)).data).toEqual([]);
    expect((await get(owner, `${path(people)}?trashed=true`)).data).toHaveLength(2);
    expect((await get(editor, `${path(table)}?trashed=true`)).data.map(({ id }) => id)).toEqual([rows[0].id]);
  });

  it('tells of links to rows that are seen only', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const people = await fixture.newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    const ada = await fixture.add(people, { name: 'Ada', deals: [rows[0].id, rows[1].id] });
    await patch(people, ada, { deals: { $add: [rows[3].id] } });
    await patch(people, ada, { deals: [rows[2].id, rows[3].id] });
    await putRules(owner, table, seesOpen);
    const { data } = await ofRow(editor, people, ada.id);
    expect(data.map(({ version, changes }) => [version, changes.at(-1)])).toMatchObject([
      [3, { before: [rows[0].id], after: [rows[2].id] }],
      [1, { before: null, after: [rows[0].id] }],
    ]);
    expect(JSON.stringify(data)).not.toContain(rows[1].id);
    expect(JSON.stringify(data)).not.toContain(rows[3].id);
    expect((await ofRow(owner, people, ada.id)).data).toHaveLength(3);
  });

  it('does not tell what a column held that has gone, or held another type', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const column = async (body: object) =>
      expectStatus(await owner.post<Column>(`/tables/${table.id}/columns`, body), 201);
    const [gone, other] = [await column({ name: 'Gone', type: 'text' }), await column({ name: 'Other', type: 'text' })];
    await patch(table, rows[0], { gone: 'secret', other: '7', qty: 12 });
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['gone', 'notes'] } });
    expectStatus(await owner.del(`/tables/${table.id}/columns/${gone.id}`), 204);
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'Gone', type: 'text' }), 201);
    const [convert, to] = [`/tables/${table.id}/columns/${other.id}/convert`, { type: 'integer' }];
    const { confirmToken } = (await owner.post<{ confirmToken: string }>(convert, { to, dryRun: true })).body;
    expectStatus(await owner.post(convert, { to, confirmToken }), 200);
    const all = await ofRow(editor, table, rows[0].id);
    expect(told(all)).toEqual(['update 2: qty', 'create 1: name,qty,status']);
    expect(JSON.stringify(all)).not.toContain('secret');
  });

  it('has pages, however little is seen, and none tells of more', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    for (let i = 0; i < 30; i++) await patch(table, rows[0], { notes: `secret ${i}` });
    await patch(table, rows[0], { qty: 100 });
    const seen: string[] = [];
    let query = 'limit=1';
    for (let pages = 0; query !== '' && pages < 40; pages++) {
      const { data, page } = await history(viewer, table, query);
      seen.push(...data.map(({ rowId, version }) => `${rowId} ${version}`));
      query = page.nextCursor === undefined ? '' : `limit=1&cursor=${page.nextCursor}`;
    }
    expect(seen).toEqual([`${rows[0].id} 31`, `${rows[2].id} 1`, `${rows[0].id} 1`]);
    const { data } = await history(viewer, table, `actorId=${owner.user.id}&limit=50`);
    expect(data.map(({ rowId, version }) => `${rowId} ${version}`)).toEqual(seen);
  });
});

/** What the editor may do: see open rows without notes and small ones, change open ones but not their quantity, make rows, delete none. */
const limited = {
  name: 'limited',
  appliesTo: { roles: ['editor'] },
  read: { filter: { or: [OPEN, { field: 'qty', op: 'lt', value: 3 }] } },
  update: { filter: OPEN },
  delete: { filter: { field: 'qty', op: 'gt', value: 100 } },
  columns: { hidden: ['notes'], readOnly: ['qty'] },
};
interface Reverted {
  readonly rows: number;
  readonly skipped: readonly object[];
  readonly conflicts: readonly object[];
  readonly confirmToken: string;
}

describe('taking back', () => {
  const values = async (table: Table, { id }: Row) => (await get<Row>(fixture.owner, path(table, id))).fields;

  it('gives a row what it held, in columns that may be changed, and within the rules for changing it', async () => {
    const { table, rows } = await deals();
    await patch(table, rows[0], { name: 'x', qty: 50, notes: 'secret new' });
    await patch(table, rows[1], { name: 'y' });
    await patch(table, rows[2], { status: 'won' });
    await patch(table, rows[2], { status: 'open' });
    await putRules(fixture.owner, table, limited);
    const revert = (row: Row, toVersion: unknown) => editor.post<Row>(`${path(table, row.id)}/revert`, { toVersion });
    const done = await revert(rows[0], 1);
    expect(expectStatus(done, 200)).toMatchObject({
      fields: { name: 'r0', qty: 50, status: 'open' },
      skipped: [{ column: { key: 'qty' }, code: 'value_not_possible' }],
    });
    expect(done.text).not.toMatch(/secret|notes/);
    expect(await values(table, rows[0])).toMatchObject({ name: 'r0', qty: 50, notes: 'secret new' });
    // One that is seen and must not be changed, one that must not become so, and one that is not seen.
    expect(code(await revert(rows[1], 1))).toBe('403 ruled_out');
    expect(code(await revert(rows[2], 2))).toBe('403 ruled_out');
    expect(code(await revert(rows[3], 1))).toBe('404 not_found');
    expect(code(await revert(rows[3], 'x'))).toBe('404 not_found');
    expect(await values(table, rows[2])).toMatchObject({ status: 'open' });
    await fixture.proveLog(table);
  });

  it('undoes and redoes one’s own acts on rows that are seen, as far as rules let the caller', async () => {
    const { table, rows } = await deals();
    const own = async (row: Row, fields: object) =>
      expectStatus(await editor.patch<Row>(path(table, row.id), { fields }), 200);
    await own(rows[0], { name: 'mine', notes: 'secret of mine', qty: 9 });
    await putRules(fixture.owner, table, limited);
    const take = (what: string, body = {}) => editor.post<Reverted>(`/tables/${table.id}/${what}`, body);
    const undone = await take('undo');
    expect(expectStatus(undone, 200)).toMatchObject({ rows: 1, skipped: [{ column: { key: 'qty' } }], conflicts: [] });
    expect(undone.text).not.toMatch(/secret|notes/);
    expect(await values(table, rows[0])).toMatchObject({ name: 'r0', qty: 9, notes: 'secret of mine' });
    expect(expectStatus(await take('redo'), 200).rows).toBe(1);
    expect(await values(table, rows[0])).toMatchObject({ name: 'mine' });
    // What somebody else changed in a column that is not seen is nobody's conflict; a row out of sight is not there.
    await own(rows[2], { name: 'mine, too' });
    await patch(table, rows[2], { notes: 'secret of others' });
    expect(expectStatus(await take('undo'), 200).rows).toBe(1);
    await own(rows[2], { name: 'again' });
    await patch(table, rows[2], { status: 'won', qty: 1_000 });
    const nothing = await take('undo');
    expect(expectStatus(nothing, 200)).toMatchObject({ rows: 0, skipped: [], conflicts: [] });
    expect(nothing.text).not.toContain(rows[2].id);
    expect(await values(table, rows[2])).toMatchObject({ name: 'again' });
    // A row that was made could only be deleted.
    const made = await editor.post<Row>(path(table), { fields: { name: 'new', status: 'open' } });
    expect(made.status).toBe(201);
    expect(code(await take('undo'))).toBe('403 ruled_out');
    await fixture.proveLog(table);
  });

  it('undoes many changes at once for nobody whom rules concern', async () => {
    const { table, rows } = await deals();
    await patch(table, rows[0], { name: 'renamed' });
    const body = { fromSeq: 1, toSeq: 1, dryRun: true };
    expect(code(await editor.post(`/tables/${table.id}/revert`, body))).toBe('403 role_too_low');
  });

  it('leaves links alone among which there may be some that are not seen', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const people = await fixture.newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    const ada = await fixture.add(people, { name: 'Ada', deals: [rows[0].id, rows[1].id] });
    await patch(people, ada, { name: 'Bea', deals: [rows[3].id] });
    await putRules(owner, table, seesOpen);
    const done = await editor.post<Row>(`${path(people, ada.id)}/revert`, { toVersion: 1 });
    expect(expectStatus(done, 200)).toMatchObject({
      fields: { name: 'Ada', deals: [] },
      skipped: [{ column: { key: 'deals' } }],
    });
    expect(await values(people, ada)).toMatchObject({ name: 'Ada', deals: [rows[3].id] });
  });
});

describe('the table as it was', () => {
  it('shows the rows that were seen then and are seen today, in columns that are seen', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const { seq } = (await fixture.list(table)).meta;
    await patch(table, rows[0], { name: 'renamed', notes: 'secret later' });
    await patch(table, rows[2], { status: 'won' });
    await patch(table, rows[3], { status: 'open' });
    await fixture.add(table, { name: 'later', status: 'open' });
    expect((await get(viewer, `${path(table)}?asOf=${seq}`)).data).toHaveLength(4);
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const at = (who: Client, query = '') => get(who, `${path(table)}?asOf=${seq}&count=exact${query}`);
    for (const who of [editor, viewer]) {
      const then = await at(who);
      expect(then.data.map(({ id, fields }) => [id, fields])).toEqual([
        [rows[0].id, { name: 'r0', qty: 0, status: 'open', owner: null }],
      ]);
      expect(then.count?.value).toBe(1);
      expect(JSON.stringify(then)).not.toMatch(/notes|secret|shout/i);
      for (const filter of ['notes.contains.secret', 'shout.contains.SECRET'])
        expect(code(await who.get(`${path(table)}?asOf=${seq}&filter=${filter}`))).toMatch(/^422/);
      const one = (row: Row) => who.get<Row>(`${path(table, row.id)}?asOf=${seq}`);
      expect(expectStatus(await one(rows[0]), 200).fields).toEqual({ name: 'r0', qty: 0, status: 'open', owner: null });
      for (const row of rows.slice(1)) expect(code(await one(row))).toBe('404 not_found');
    }
    expect((await at(owner)).data).toHaveLength(4);
    expectStatus(await owner.del(path(table, rows[0].id)), 204);
    expect((await at(editor)).data.map(({ id }) => id)).toEqual([rows[0].id]);
  });

  it('is closed where a rule depends on what nobody knows of then', async () => {
    const { owner } = fixture;
    const { table } = await deals();
    const { seq } = (await fixture.list(table)).meta;
    const young = await owner.post(`/tables/${table.id}/columns`, { name: 'Young', type: 'text', default: 'x' });
    expectStatus(young, 201);
    const closed = async (filter: object) => {
      await putRules(owner, table, { name: 'rule', read: { filter } });
      return code(await editor.get(`${path(table)}?asOf=${seq}`));
    };
    expect(await closed({ field: 'young', op: 'isNull' })).toBe('403 ruled_out');
    expect(await closed(OPEN)).toBe('200 ');
    const people = await fixture.newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'People', type: 'link', options: { tableId: people.id } };
    expectStatus(await owner.post(`/tables/${table.id}/columns`, link), 201);
    expect(await closed({ field: 'people', op: 'isEmpty' })).toBe('403 ruled_out');
  });
});

describe('a rule that takes everything away', () => {
  it('leaves an empty history, and none of a row', async () => {
    const { table, rows } = await deals();
    await putRules(fixture.owner, table, { name: 'none', read: { filter: { and: [OPEN, { not: OPEN }] } } });
    expect(await history(editor, table)).toMatchObject({ data: [] });
    expect(code(await editor.get(`${path(table, rows[0].id)}/history`))).toBe('404 not_found');
  });
});
