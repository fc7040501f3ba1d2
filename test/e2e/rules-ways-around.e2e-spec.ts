import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  socket,
  waitFor,
  type Answer,
  type Client,
  type Column,
  type Row,
  type Table,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { path, refusal, rowsFixture } from '../support/rows.js';
import { member, putRules, type MemberOf } from '../support/rules.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

const NAME = [{ name: 'Name', type: 'text' }];
const FILES = [...NAME, { name: 'Files', type: 'attachment' }];
const read = async <T = Row>(who: Client, at: string): Promise<T> => expectStatus(await who.get<T>(at), 200);
const code = ({ status, body }: Answer<unknown>): string => `${status} ${(body as { code?: string }).code ?? ''}`;
const seesNamed = (name: string) => ({ name: 'named', read: { filter: { field: 'name', op: 'eq', value: name } } });

describe('an import', () => {
  it('into a table that is seen in part is not told of by its id, nor ended', async () => {
    const { owner } = fixture;
    const table = await newTable(NAME);
    const answer = await owner.call<{ id: string }>('POST', `/tables/${table.id}/import`, 'name\nsecret\n', {
      ...{ 'content-type': 'text/csv', prefer: 'respond-async' },
    });
    const at = `/imports/${expectStatus(answer, 202).id}`;
    await read(editor, at);
    await putRules(owner, table, seesNamed('open'));
    expect(code(await editor.get(at))).toBe('403 ruled_out');
    expect(code(await editor.del(at))).toBe('403 ruled_out');
    await read(owner, at);
    await owner.del(`/tables/${table.id}`);
    expect(code(await editor.get(at))).toBe('403 ruled_out');
    await read(owner, at);
  });
});

describe('a link', () => {
  it('is hidden and locked at its other end, too, with what is computed from it there', async () => {
    const { owner } = fixture;
    const [people, deals] = [await newTable(NAME), await newTable(NAME)];
    const column = async (of: Table, body: object) =>
      expectStatus(await owner.post<Column>(`/tables/${of.id}/columns`, body), 201);
    await column(deals, { name: 'Boss', type: 'link', options: { tableId: people.id, inverseName: 'Deals' } });
    await column(people, { name: 'Sold', type: 'count', options: { linkColumnId: 'deals' } });
    const ada = await add(people, { name: 'Ada' });
    const deal = await add(deals, { name: 'deal', boss: [ada.id] });
    const fields = async () => (await read(editor, path(people, ada.id))).fields;
    expect(await fields()).toEqual({ name: 'Ada', deals: [deal.id], sold: 1 });
    await putRules(owner, deals, { name: 'no boss', columns: { hidden: ['boss'] } });
    expect(await fields()).toEqual({ name: 'Ada' });
    await putRules(owner, deals, { name: 'no new boss', columns: { readOnly: ['boss'] } });
    expect(await fields()).toEqual({ name: 'Ada', deals: [deal.id], sold: 1 });
    expect(refusal(await editor.patch(path(people, ada.id), { fields: { deals: { $remove: [deal.id] } } }))).toEqual([
      422,
      'validation_failed',
      '/fields/deals read_only',
    ]);
    expect((await read(owner, path(deals, deal.id))).fields.boss).toEqual([ada.id]);
  });
});

describe('a file of a row that is not seen', () => {
  it('is got through no other table of the base, and by no row of one’s own', async () => {
    const { owner } = fixture;
    const [table, other] = [await newTable(FILES), await newTable(FILES)];
    const upload = async (who: Client, to: Table, ...contents: string[]) =>
      expectStatus(
        await who.post<{ data: Attachment[] }>(`/tables/${to.id}/attachments`, form(...contents)),
        201,
      ).data.map(({ id }) => id);
    const [hidden = '', seen = ''] = await upload(owner, table, 'hidden', 'seen');
    await add(table, { name: 'hidden', files: [hidden] });
    await add(table, { name: 'open', files: [seen] });
    await putRules(owner, table, seesNamed('open'));
    const [own = ''] = await upload(editor, other, 'own');
    for (const through of [table, other]) {
      const get = (id: string) => editor.get(`/tables/${through.id}/attachments/${id}`);
      expect(code(await get(hidden))).toBe('404 not_found');
      expectStatus(await get(seen), 200);
      expectStatus(await get(own), 200);
    }
    expectStatus(await owner.get(`/tables/${other.id}/attachments/${hidden}`), 200);
    const create = (files: string[]) => editor.post<Row>(path(other), { fields: { name: 'mine', files } });
    expect(refusal(await create([own, hidden]))).toEqual([422, 'validation_failed', '/fields/files not_an_attachment']);
    const { id } = expectStatus(await create([own, seen]), 201);
    // A name is no id.
    const named = form({ content: 'x', name: `${hidden}.txt` });
    const uploaded = await editor.post<{ data: Attachment[] }>(`/tables/${other.id}/attachments`, named);
    const [lie = ''] = expectStatus(uploaded, 201).data.map((file) => file.id);
    expectStatus(await editor.patch(path(other, id), { fields: { files: [own, seen, lie] } }), 200);
    expect(code(await editor.get(`/tables/${other.id}/attachments/${hidden}`))).toBe('404 not_found');
  });
});

describe('a row in the trash', () => {
  it('is taken out only by those who may put it there', async () => {
    const { owner } = fixture;
    const table = await newTable(NAME);
    const [kept, free] = [await add(table, { name: 'kept' }), await add(table, { name: 'free' })];
    await putRules(owner, table, { name: 'free', delete: { filter: { field: 'name', op: 'eq', value: 'free' } } });
    for (const { id } of [kept, free]) await owner.del(path(table, id));
    const restore = ({ id }: Row) => editor.post(`${path(table, id)}/restore`);
    expect(code(await restore(kept))).toBe('403 ruled_out');
    expectStatus(await restore(free), 200);
    expect(code(await owner.get(path(table, kept.id)))).toBe('404 not_found');
  });
});

describe('a rule', () => {
  it('is for members of the workspace, and may go on to name one who has left', async () => {
    const { owner, at } = fixture;
    const table = await newTable(NAME);
    const elsewhere = expectStatus(await owner.post<{ id: string }>('/workspaces', { name: 'Elsewhere' }), 201);
    const [stranger, leaver] = [
      await member(owner, elsewhere.id, 'editor'),
      await member(owner, at.workspace.id, 'editor'),
    ];
    const put = (...memberIds: string[]) =>
      owner.call('PUT', `/tables/${table.id}/rules`, { rules: [{ name: 'some', appliesTo: { memberIds } }] });
    expect(refusal(await put(leaver.memberId, stranger.memberId))).toEqual([
      422,
      'validation_failed',
      '/rules/0/appliesTo/memberIds/1 not_a_member',
    ]);
    expectStatus(await put(leaver.memberId), 200);
    expectStatus(await owner.del(`/workspaces/${at.workspace.id}/members/${leaver.memberId}`), 204);
    expectStatus(await put(leaver.memberId, editor.memberId), 200);
  });
});

describe('the check of a formula', () => {
  it('knows no column that is hidden, by its id either', async () => {
    const { owner } = fixture;
    const table = await newTable([...NAME, { name: 'Shout', type: 'formula', options: { formula: 'UPPER({name})' } }]);
    const columnId = table.columns.find(({ key }) => key === 'shout')?.id;
    const check = () => editor.post('/formulas/check', { formula: '1', tableId: table.id, columnId });
    expectStatus(await check(), 200);
    await putRules(owner, table, { name: 'no shouting', columns: { hidden: ['shout'] } });
    expect(code(await check())).toBe('404 not_found');
  });
});

describe('a view that names a hidden column', () => {
  const KEY = 'secret_pay';

  it('is there for those who do not see that, without what it asks, and stays as it is', async () => {
    const { owner, at } = fixture;
    const table = await newTable([...NAME, { name: 'Secret pay', type: 'integer' }]);
    const views = `/workspaces/${at.workspace.id}/views`;
    const store = async (name: string, more: object, settings?: object) =>
      expectStatus(
        await owner.post<{ id: string }>(views, {
          name,
          definition: { source: { table: table.id }, ...more },
          settings,
        }),
        201,
      ).id;
    const source = { source: { table: table.id } };
    const broken = await store('Rich', { filter: { field: 'secret_pay', op: 'gt', value: 1 } });
    const fitting = await store(
      'All',
      {},
      { layout: { type: 'grid', columns: [{ key: 'secret_pay', hidden: true }] } },
    );
    await putRules(owner, table, { name: 'no pay', columns: { hidden: ['secret_pay'] } });
    const routes = [`/views/${broken}`, `/views/${broken}/data`, `/views/${broken}/versions/1`, `/views/${fitting}`];
    for (const route of [...routes, `${views}?limit=100`]) {
      const { text } = await editor.get(route);
      expect([route, text.includes(KEY)]).toEqual([route, false]);
    }
    expect(await read<object>(editor, `/views/${broken}`)).toMatchObject({
      ...{ name: 'Rich', definition: source, problem: { code: 'view_broken', errors: [] } },
    });
    expect(await read<object>(editor, `/views/${fitting}`)).toMatchObject({ columns: [{ key: 'name' }] });
    // What was told would take the place of the whole.
    expect(code(await editor.patch(`/views/${broken}`, { definition: source }))).toBe('403 ruled_out');
    const renamed = await editor.patch(`/views/${broken}`, { name: 'Richest' });
    expectStatus(renamed, 200);
    const copy = await editor.post(`/views/${broken}/duplicate`, { name: 'Copy' });
    expectStatus(copy, 201);
    for (const { text } of [renamed, copy]) expect(text).not.toContain(KEY);
    expect(JSON.stringify(await read<object>(owner, `/views/${broken}`))).toContain(KEY);
  });
});

describe('the channel of a workspace', () => {
  it('does not tell what columns are called of bases that have rules', async () => {
    const { owner, at } = fixture;
    const table = await newTable(NAME);
    await putRules(owner, table, { name: 'all' });
    const live = await socket(fixture.app.base, editor.token);
    const channel = `workspace:${at.workspace.id}`;
    expect(await live.ask('subscribe', { channel })).toMatchObject({ ok: true });
    const made = await owner.post<Column>(`/tables/${table.id}/columns`, { name: 'Secret pay', type: 'text' });
    const { id } = expectStatus(made, 201);
    const event = await live.until(({ payload }) => JSON.stringify(payload).includes(id));
    expect(event.payload).toMatchObject({ change: { action: 'column.created', resource: { id, name: '' } } });
    live.close();
  });
});

describe('presence in a table', () => {
  it('tells those who see part of it who is there and what he does, and not where', async () => {
    const { owner, at, app } = fixture;
    const table = await newTable(NAME);
    const hidden = await add(table, { name: 'hidden' });
    await putRules(owner, table, seesNamed('open'));
    const channel = `table:${table.id}`;
    const [part, whole] = [await socket(app.base, editor.token), await socket(app.base, at.owner.accessToken)];
    for (const each of [part, whole]) expect(await each.ask('subscribe', { channel })).toMatchObject({ ok: true });
    const state = { mode: 'editing', cursor: { rowId: hidden.id, columnKey: 'name' } };
    expect(await whole.ask('presence', { channel, state: { mode: 'viewing' } })).toMatchObject({
      ok: true,
      present: [],
    });
    const joined = await part.until(({ name }) => name === 'user:join');
    expect(joined.payload).toMatchObject({ channel, user: { id: at.owner.user.id }, state: { mode: 'viewing' } });
    await whole.ask('presence', { channel, state });
    const moved = await part.until(({ name }) => name === 'user:cursor');
    expect((moved.payload as { state: object }).state).toEqual({ mode: 'editing' });
    const answer = await part.ask<{ present: readonly { state: object }[] }>('presence', {
      channel,
      state: { mode: 'idle' },
    });
    expect(answer.present.map((person) => person.state)).toEqual([{ mode: 'editing' }]);
    expect(JSON.stringify(part.events)).not.toContain(hidden.id);
    // Those who see all are told where he is.
    const own = { mode: 'viewing', cursor: { rowId: hidden.id, columnKey: 'name' } };
    await part.ask('presence', { channel, state: own });
    await whole.until(({ name, payload }) => name === 'user:cursor' && JSON.stringify(payload).includes(hidden.id));
    await whole.ask('unsubscribe', { channel });
    await part.until(({ name }) => name === 'user:leave');
    for (const each of [part, whole]) each.close();
  });
});

describe('a value that another row has', () => {
  it('is refused without the name of a column of the index that is hidden', async () => {
    const { owner } = fixture;
    const table = await newTable([...NAME, { name: 'Salary', type: 'text' }]);
    const asked = { columns: [{ field: 'name' }, { field: 'salary' }], unique: true };
    const made = await owner.post<{ id: string }>(`/tables/${table.id}/indexes`, asked);
    const { id } = expectStatus(made, 202);
    const state = async () =>
      (await read<{ data: { id: string; state: string }[] }>(owner, `/tables/${table.id}/indexes`)).data.find(
        (index) => index.id === id,
      )?.state;
    await waitFor(async () => (await state()) === 'ready', 30_000);
    await add(table, { name: 'one', salary: 'x' });
    const two = await add(table, { name: 'two', salary: 'x' });
    await putRules(owner, table, { name: 'no salary', columns: { hidden: ['salary'] } });
    const set = { name: 'one' };
    const bulk = { ops: [{ op: 'update', id: two.id, fields: set }] };
    const filtered = { filter: { field: 'name', op: 'eq', value: 'two' }, set, maxAffected: 9 };
    const writes = async (who: Client) => {
      const dry = await who.post<{ confirmToken: string }>(path(table, 'bulk-update'), { ...filtered, dryRun: true });
      const { confirmToken } = expectStatus(dry, 200);
      return [
        await who.patch(path(table, two.id), { fields: set }),
        await who.post(path(table, 'bulk'), { mode: 'atomic', ...bulk }),
        await who.post(path(table, 'bulk'), { mode: 'partial', ...bulk }),
        await who.post(path(table, 'bulk-update'), { ...filtered, confirmToken }),
      ];
    };
    for (const answer of await writes(editor)) {
      expect(answer.text).toContain('Another row has the same values in a unique index.');
      expect(answer.text).not.toContain('salary');
    }
    for (const answer of await writes(owner)) expect(answer.text).toContain('Another row has the same name, salary.');
  });
});
