import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, socket, type Row, type SocketEvent, type Table, type TestSocket } from '../harness/index.js';
import { below, pick, randomOf, some, type Random } from '../support/random.js';
import { path, rowsFixture, type Page } from '../support/rows.js';
import { dealsIn, member, putRules, seesOpen, type MemberOf } from '../support/rules.js';

/*
 * The channels of views for members who see part of the tables: they are told what they would find if they read the view, and nothing else.
 */

const fixture = rowsFixture();
const { newTable, add } = fixture;

let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

interface Followed {
  readonly ok: boolean;
  readonly mode?: string;
  readonly reason?: string;
  readonly tells?: string;
  readonly epoch: string;
  readonly seq: number;
}
interface Told {
  readonly seq: number;
  readonly prev: number;
  readonly actor?: { readonly id: string | null; readonly name: string };
  readonly created?: readonly Row[];
  readonly entered?: readonly Row[];
  readonly updated?: readonly Row[];
  readonly deleted?: readonly { readonly id: string }[];
  readonly left?: readonly string[];
  readonly moved?: readonly string[];
}

const viewOf = async (definition: object): Promise<string> =>
  expectStatus(
    await fixture.owner.post<{ id: string }>(`/workspaces/${fixture.at.workspace.id}/views`, {
      ...{ name: `V ${Math.random()}`, definition, visibility: 'workspace' },
    }),
    201,
  ).id;

async function follow(who: MemberOf, view: string, base = fixture.app.base, from?: object) {
  const live = await socket(base, who.token);
  const channel = `view:${view}`;
  const answer = await live.ask<Followed>('subscribe', { channel, ...(from ? { from } : {}) });
  return { live, channel, answer };
}

const maybe = <T>(random: Random, list: readonly T[]): T | null => (below(random, 4) === 0 ? null : pick(random, list));
const updates = (live: TestSocket): Told[] => live.payloads('data:update') as unknown as Told[];
const upTo = (live: TestSocket, seq: number): Promise<SocketEvent> =>
  live.until(({ payload }) => ((payload as { seq?: number }).seq ?? 0) >= seq);
const seqOf = async (table: Table): Promise<number> => (await fixture.list(table)).meta.seq;

/** What came and went, without the empty lists. */
const said = (told: Told): object =>
  Object.fromEntries(
    (['created', 'entered', 'updated', 'deleted', 'left', 'moved'] as const).flatMap((key) =>
      (told[key] ?? []).length > 0 ? [[key, told[key]]] : [],
    ),
  );

describe('the channel of a view of rows, for somebody who sees part of the table', () => {
  it('tells of rows that come into sight and go out of it, and of no others', async () => {
    const { owner } = fixture;
    const { table, rows } = await dealsIn(fixture);
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const view = await viewOf({
      ...{
        source: { table: table.id },
        filter: { field: 'qty', op: 'lt', value: 9 },
        as: 'd',
        columns: ['d._id', 'name', 'qty'],
      },
    });
    const node = fixture.onEitherNode();
    const followers = [await follow(editor, view, node(0).base), await follow(editor, view, node(1).base)];
    for (const { answer } of followers) expect(answer).toMatchObject({ ok: true, mode: 'live', tells: 'rows' });
    const patch = async (i: number, fields: object) =>
      expectStatus(await owner.patch<Row>(path(table, rows[i]?.id ?? ''), { fields }), 200);
    await patch(1, { name: 'unseen' });
    await patch(0, { name: 'seen', notes: 'secret note' });
    await patch(0, { notes: 'secret note only' });
    await patch(1, { status: 'open' });
    await patch(2, { status: 'won', name: 'no more' });
    await patch(3, { qty: 8 });
    const made = await add(table, { name: 'new', qty: 1, status: 'open', notes: 'secret' });
    await add(table, { name: 'hidden one', qty: 1, status: 'won' });
    await owner.del(path(table, rows[0].id));
    await owner.del(path(table, rows[3].id));
    const last = await seqOf(table);
    for (const { live, answer } of followers) {
      await upTo(live, last);
      const told = updates(live);
      expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => answer.seq + 1 + i));
      const whole = (id: string, version: number, name: string, qty: number) => ({
        ...{ id, version, fields: { _id: id, name, qty } },
      });
      expect(told.map(said)).toEqual([
        {},
        { updated: [{ id: rows[0].id, version: 2, fields: { name: 'seen' } }] },
        {},
        { entered: [whole(rows[1].id, 3, 'unseen', 1)] },
        { left: [rows[2].id] },
        {},
        { created: [whole(made.id, 1, 'new', 1)] },
        {},
        { deleted: [{ id: rows[0].id, version: 4 }] },
        {},
      ]);
      // Who did what is not seen is not told, either.
      for (const each of told)
        expect([each.seq, each.actor?.name === '']).toEqual([each.seq, Object.keys(said(each)).length === 0]);
      const all = JSON.stringify(live.events);
      expect(all).not.toMatch(/secret|hidden one|no more/);
      expect(all).not.toContain(rows[3].id);
      live.close();
    }
  });

  it('does not go over the past, in which rows were seen that are not seen now', async () => {
    const { owner } = fixture;
    const { table, rows } = await dealsIn(fixture);
    await putRules(owner, table, seesOpen);
    const view = await viewOf({ source: { table: table.id }, columns: ['name'] });
    const { live, answer } = await follow(editor, view);
    await owner.patch(path(table, rows[0].id), { fields: { name: 'was seen' } });
    await owner.patch(path(table, rows[0].id), { fields: { status: 'won' } });
    await upTo(live, answer.seq + 2);
    const { epoch, seq } = answer;
    const again = await follow(editor, view, fixture.app.base, { epoch, seq });
    expect(again.answer).toMatchObject({ ok: true, mode: 'reset', reason: 'changes_gone' });
    const now = await follow(editor, view, fixture.app.base, { epoch, seq: seq + 2 });
    expect(now.answer).toMatchObject({ ok: true, mode: 'live' });
    // The numbers of those who see all are not theirs.
    const whole = await follow({ ...editor, token: fixture.at.owner.accessToken }, view);
    const other = await follow(editor, view, fixture.app.base, { epoch: whole.answer.epoch, seq: whole.answer.seq });
    expect(other.answer).toMatchObject({ mode: 'reset', reason: 'epoch_changed' });
    for (const each of [live, again.live, now.live, whole.live, other.live]) each.close();
  });

  it('lets a copy that is made of events be what the member reads, whatever is written under whatever rule', async () => {
    const { owner } = fixture;
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Num', type: 'integer' },
      { name: 'Twice', type: 'formula', options: { formula: '{num} * 2' } },
      { name: 'Owner', type: 'user' },
      { name: 'Pay', type: 'integer' },
    ]);
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const random = randomOf(seed);
    const fields = () => ({
      name: maybe(random, ['a', 'b']),
      num: maybe(random, [1, 2, 3]),
      owner: maybe(random, [editor.user.id]),
      pay: 4711,
    });
    const view = await viewOf({
      source: { table: table.id },
      filter: { field: 'num', op: 'isNotNull' },
      as: 'd',
      columns: ['d._id', 'name', 'num', 'twice'],
    });
    const leaf = () =>
      pick(random, [
        { field: 'name', op: 'neq', value: 'a' },
        { not: { field: 'twice', op: 'gt', value: 3 } },
        { field: 'owner', op: 'eq', value: { $me: true } },
        { field: 'num', op: 'in', value: [1, 3] },
      ]);
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push((await add(table, fields())).id);
    for (let run = 0; run < 5; run++) {
      const filter = pick(random, [leaf(), { and: [leaf(), leaf()] }, { or: [leaf(), leaf()] }]);
      await putRules(owner, table, { name: 'some', read: { filter }, columns: { hidden: ['pay', 'owner'] } });
      const { live, answer } = await follow(editor, view);
      expect(answer).toMatchObject({ ok: true, tells: 'rows' });
      const read = async () => {
        const { data } = expectStatus(await editor.get<Page>(`/views/${view}/data?limit=200`), 200);
        return new Map(data.map((row) => [String(row.fields._id), row.fields]));
      };
      const copy = await read();
      for (let i = 0; i < 15; i++) {
        const id = pick(random, ids);
        const die = below(random, 10);
        if (die === 0) ids.push((await add(table, fields())).id);
        else if (die === 1) await owner.del(path(table, id));
        else if (die === 2) await owner.post(`${path(table, id)}/restore`, {});
        else
          await owner.patch(path(table, id), { fields: Object.fromEntries(some(random, Object.entries(fields()), 3)) });
      }
      const last = await seqOf(table);
      if (last > answer.seq) await upTo(live, last);
      for (const { created = [], entered = [], updated = [], deleted = [], left = [] } of updates(live)) {
        for (const { id, fields: whole } of [...created, ...entered]) copy.set(id, { ...whole });
        for (const { id, fields: changed } of updated) copy.set(id, { ...copy.get(id), ...changed });
        for (const id of [...deleted.map((gone) => gone.id), ...left]) copy.delete(id);
      }
      const now = await read();
      expect([seed, Object.fromEntries([...copy].sort())]).toEqual([seed, Object.fromEntries([...now].sort())]);
      expect(JSON.stringify(live.events)).not.toContain('4711');
      live.close();
    }
  });
});

describe('the channel of a view whose rows the table alone does not tell of', () => {
  it('says that something was written, and not to which row', async () => {
    const { owner } = fixture;
    const { table, rows } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Boss', type: 'link', options: { tableId: people.id, inverseName: 'Deals' } };
    expectStatus(await owner.post(`/tables/${table.id}/columns`, link), 201);
    const [ada, bob] = [await add(people, { name: 'Ada' }), await add(people, { name: 'Bob' })];
    await owner.patch(path(table, rows[0].id), { fields: { boss: [ada.id] } });
    const where = { field: 'name', op: 'eq', value: 'Ada' };
    const underAda = { name: 'under Ada', read: { filter: { link: 'boss', quantifier: 'some', where } } };
    await putRules(owner, table, underAda);
    const [ofRows, ofPeople] = [
      await viewOf({ source: { table: table.id }, columns: ['name'] }),
      await viewOf({ source: { table: people.id } }),
    ];
    const [first, second] = [await follow(editor, ofRows), await follow(editor, ofPeople)];
    for (const { answer } of [first, second]) expect(answer).toMatchObject({ ok: true, tells: 'invalidated' });
    // The rule reads the other table: what is written there changes what is seen here.
    expectStatus(await owner.patch(path(people, bob.id), { fields: { name: 'Ada' } }), 200);
    for (const { live } of [first, second]) {
      const { payload } = await live.until(({ name }) => name === 'data:update');
      expect(payload).toMatchObject({ invalidated: true, cause: { kind: 'tables' } });
      expect(JSON.stringify(live.events)).not.toContain(bob.id);
      live.close();
    }
  });

  it('tells the same of rules that depend on the time', async () => {
    const { owner } = fixture;
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Due', type: 'date' },
    ]);
    const view = await viewOf({ source: { table: table.id }, columns: ['name'] });
    await putRules(owner, table, {
      name: 'due',
      read: { filter: { field: 'due', op: 'lte', value: { $today: true } } },
    });
    const { live, answer } = await follow(editor, view);
    expect(answer).toMatchObject({ ok: true, tells: 'invalidated' });
    await add(table, { name: 'x' });
    expect((await live.until(({ name }) => name === 'data:update')).payload).toMatchObject({ invalidated: true });
    live.close();
  });
});

describe('those who follow a view', () => {
  const begins = async (live: TestSocket, channel: string) => {
    const { payload } = await live.until(({ name }) => name === 'control');
    expect(payload).toMatchObject({ type: 'reset', channel });
  };

  it.each(['the node that made them', 'a node that hears of nothing'])(
    'begin again when rules are others, on %s',
    async (where) => {
      const { owner } = fixture;
      const { table, rows } = await dealsIn(fixture);
      const view = await viewOf({ source: { table: table.id } });
      const node = fixture.onEitherNode()(where === 'the node that made them' ? 0 : 1);
      const { live, channel } = await follow(editor, view, node.base);
      await putRules(owner, table, seesOpen);
      await owner.patch(path(table, rows[1].id), { fields: { name: 'must not be told' } });
      await begins(live, channel);
      const answer = await live.ask<Followed>('subscribe', { channel });
      expect(answer).toMatchObject({ ok: true, mode: 'live', tells: 'rows' });
      await owner.patch(path(table, rows[0].id), { fields: { name: 'told' } });
      await upTo(live, answer.seq + 1);
      expect(JSON.stringify(live.events)).not.toContain('must not be told');
      expect(JSON.stringify(live.events)).toContain('told');
      live.close();
    },
  );

  it('begin again when it is another who they are, and others are left alone', async () => {
    const { owner, at } = fixture;
    const { table, rows } = await dealsIn(fixture);
    const other = await member(owner, at.workspace.id, 'viewer');
    const filter = { field: 'qty', op: 'eq', value: { $attr: 'qty' } };
    await putRules(owner, table, { name: 'of the number', read: { filter } });
    const attributes = async ({ memberId }: MemberOf, qty: number) =>
      expectStatus(
        await owner.patch(`/workspaces/${at.workspace.id}/members/${memberId}`, { attributes: { qty } }),
        200,
      );
    await attributes(editor, 0);
    await attributes(other, 1);
    const view = await viewOf({ source: { table: table.id }, columns: ['name'] });
    const [mine, theirs] = [await follow(editor, view), await follow(other, view)];
    await owner.patch(path(table, rows[1].id), { fields: { name: 'one' } });
    await upTo(theirs.live, theirs.answer.seq + 1);
    expect(updates(theirs.live).map(said)).toMatchObject([{ updated: [{ fields: { name: 'one' } }] }]);
    await attributes(editor, 2);
    await begins(mine.live, mine.channel);
    expect(theirs.live.payloads('control')).toEqual([]);
    await attributes(editor, 0);
    for (const { live } of [mine, theirs]) live.close();
  });

  it('are told that it was renamed, whatever part they see; and what is wrong with it only as they may know', async () => {
    const { owner } = fixture;
    const { table } = await dealsIn(fixture);
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const view = await viewOf({ source: { table: table.id }, columns: ['name'] });
    const part = await follow(editor, view);
    const whole = await follow({ ...editor, token: fixture.at.owner.accessToken }, view);
    expectStatus(await owner.patch(`/views/${view}`, { name: `Renamed ${view}` }), 200);
    for (const { live } of [part, whole]) {
      const { payload } = await live.until(({ name }) => name === 'view:update');
      expect(payload).toMatchObject({ name: `Renamed ${view}`, version: 2 });
      expect(payload).not.toHaveProperty('problem');
    }
    const definition = { source: { table: table.id }, filter: { field: 'notes', op: 'eq', value: 'x' } };
    expectStatus(await owner.patch(`/views/${view}`, { definition }), 200);
    const ofVersion = (live: TestSocket) =>
      live.until(({ name, payload }) => name === 'view:update' && (payload as { version: number }).version === 3);
    expect((await ofVersion(part.live)).payload).toMatchObject({ problem: { code: 'view_broken' } });
    expect((await ofVersion(whole.live)).payload).not.toHaveProperty('problem');
    expect(JSON.stringify(part.live.events)).not.toContain('notes');
    for (const { live } of [part, whole]) live.close();
  });
});

describe('presence in a view', () => {
  it('tells those who see part of its table who is there, and not where', async () => {
    const { owner, at, app } = fixture;
    const { table, rows } = await dealsIn(fixture);
    await putRules(owner, table, seesOpen);
    const channel = `view:${await viewOf({ source: { table: table.id } })}`;
    const [part, whole] = [await socket(app.base, editor.token), await socket(app.base, at.owner.accessToken)];
    for (const each of [part, whole]) expect(await each.ask('subscribe', { channel })).toMatchObject({ ok: true });
    const state = { mode: 'editing', cursor: { rowId: rows[1].id, columnKey: 'name' } };
    expect(await whole.ask('presence', { channel, state })).toMatchObject({ ok: true });
    const joined = await part.until(({ name }) => name === 'user:join');
    expect((joined.payload as { state: object }).state).toEqual({ mode: 'editing' });
    const answer = await part.ask<{ present: readonly { state: object }[] }>('presence', { channel, state: {} });
    expect(answer.present.map((person) => person.state)).toEqual([{ mode: 'editing' }]);
    expect(JSON.stringify(part.events)).not.toContain(rows[1].id);
    for (const each of [part, whole]) each.close();
  });
});
