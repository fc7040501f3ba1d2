import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  member,
  sql,
  type Answer,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
} from '../harness/index.js';
import { below, pick, randomOf, some } from '../support/random.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk } = fixture;

interface Entry {
  readonly seq: number;
  readonly rowId: string | null;
  readonly version: number | null;
  readonly op: string;
  readonly actor: { readonly id: string; readonly name: string };
  readonly source: string;
  readonly changeSet: string;
  readonly revertOf: string | null;
  readonly changes: readonly {
    readonly column: {
      readonly id: string | null;
      readonly key: string;
      readonly name: string;
      readonly nameThen?: string;
    };
    readonly before: unknown;
    readonly after: unknown;
  }[];
  readonly structure?: object;
}
interface History {
  readonly data: readonly Entry[];
  readonly page: { readonly nextCursor?: string };
}
interface Reverted {
  readonly rows: number;
  readonly conflicts: readonly {
    readonly rowId: string;
    readonly code: string;
    readonly column?: { readonly key: string };
  }[];
  readonly skipped: readonly {
    readonly rowId: string;
    readonly code: string;
    readonly column?: { readonly key: string };
  }[];
  readonly confirmToken: string;
  readonly changeSet: string;
  readonly meta: { readonly seq: number };
}

const NAME = { name: 'Name', type: 'text' };
const QTY = { name: 'Qty', type: 'integer' };
const columns = ({ id }: Table): string => `/tables/${id}/columns`;
const columnId = (table: Table, key: string): string => table.columns.find((each) => each.key === key)?.id ?? '';
const addColumn = async (table: Table, body: object): Promise<Column> =>
  expectStatus(await fixture.owner.post<Column>(columns(table), body), 201);
const patch = async (table: Table, id: string, fields: object): Promise<Row> =>
  expectStatus(await fixture.owner.patch<Row>(path(table, id), { fields }), 200);
const read = async (table: Table, id: string): Promise<Row> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200);
const ofRow = async (table: Table, id: string, query = ''): Promise<History> =>
  expectStatus(await fixture.owner.get<History>(`${path(table, id)}/history${query}`), 200);
const ofTable = async (table: Table, query = ''): Promise<History> =>
  expectStatus(await fixture.owner.get<History>(`/tables/${table.id}/history${query}`), 200);
const toVersion = (table: Table, id: string, version: unknown, headers = {}) =>
  fixture.owner.post<Row & { skipped: readonly { column: { key: string }; code: string }[] } & ProblemBody>(
    `${path(table, id)}/revert`,
    { toVersion: version },
    headers,
  );
const revert = (table: Table, body: object): Promise<Answer<Reverted & ProblemBody>> =>
  fixture.owner.post<Reverted & ProblemBody>(`/tables/${table.id}/revert`, body);
const dry = async (table: Table, body: object): Promise<Reverted> =>
  expectStatus(await revert(table, { ...body, dryRun: true }), 200);
/** A dry run, and what it said done. */
const undo = async (table: Table, body: object): Promise<Reverted> => {
  const { confirmToken } = await dry(table, body);
  return expectStatus(await revert(table, { ...body, confirmToken }), 200);
};
const ids = (answer: Awaited<ReturnType<typeof bulk>>): string[] =>
  expectStatus(answer, 200).results.map(({ id }) => id ?? '');
const changes = ({ changes: list }: Entry): unknown =>
  list.map(({ column, before, after }) => [column.key, before, after]);
const lastSet = async (table: Table): Promise<string> => (await ofTable(table, '?limit=1')).data[0]?.changeSet ?? '';
const convert = async (table: Table, key: string, to: object): Promise<void> => {
  const at = `${columns(table)}/${columnId(table, key)}/convert`;
  const body = { to, onError: 'null' };
  const { confirmToken } = expectStatus(
    await fixture.owner.post<{ confirmToken: string }>(at, { ...body, dryRun: true }),
    200,
  );
  expectStatus(await fixture.owner.post(at, { ...body, confirmToken }), 200);
};

describe('the history of a row', () => {
  it('tells who did what by which means, newest first, of what people write', async () => {
    const table = await newTable([NAME, QTY, { name: 'Double', type: 'formula', options: { formula: '{qty} * 2' } }]);
    const { id } = await add(table, { name: 'a', qty: 1 });
    await patch(table, id, { qty: 2 });
    await patch(table, id, { name: 'b', qty: 3 });
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    expectStatus(await fixture.owner.post(`${path(table, id)}/restore`, {}), 200);
    const { data } = await ofRow(table, id);
    expect(data.map(({ op, version }) => [op, version])).toEqual([
      ['restore', 5],
      ['delete', 4],
      ['update', 3],
      ['update', 2],
      ['create', 1],
    ]);
    expect(data.map(changes)).toEqual([
      [['name', null, 'b'], ['qty', null, 3]],
      [['name', 'b', null], ['qty', 3, null]],
      [['name', 'a', 'b'], ['qty', 2, 3]],
      [['qty', 1, 2]],
      [['name', null, 'a'], ['qty', null, 1]],
    ]); // prettier-ignore
    for (const entry of data) {
      expect(entry).toMatchObject({ source: 'api', rowId: id, revertOf: null });
      expect(entry.actor).toMatchObject({ id: fixture.owner.user.id, name: fixture.owner.user.name });
    }
    expect(data[0]?.changes[0]?.column).toEqual({ id: columnId(table, 'name'), key: 'name', name: 'Name' });
    const [first, second] = [await ofRow(table, id, '?limit=2'), await ofTable(table, '?limit=3')];
    expect(first.data).toEqual(data.slice(0, 2));
    const next = await ofRow(table, id, `?limit=9&cursor=${first.page.nextCursor ?? ''}`);
    expect([...first.data, ...next.data]).toEqual(data);
    const other = await fixture.owner.get(`${path(table, id)}/history?cursor=${second.page.nextCursor ?? ''}`);
    expect(refusal(other)).toEqual([400, 'cursor_mismatch']);
    expect(refusal(await fixture.owner.get(`${path(table, randomUUID())}/history`))).toEqual([404, 'not_found']);
  });

  it('knows which column a name was, also when another one has it by now', async () => {
    const table = await newTable([NAME, QTY]);
    const { id } = await add(table, { qty: 1 });
    await patch(table, id, { qty: 2 });
    const old = columnId(table, 'qty');
    expectStatus(await fixture.owner.del(`${columns(table)}/${old}`), 204);
    const made = await addColumn(table, { name: 'Qty', type: 'text' });
    expect(made.key).toBe('qty');
    await patch(table, id, { qty: 'two' });
    const { data } = await ofRow(table, id);
    expect(data.map((entry) => entry.changes.find(({ column }) => column.key === 'qty')?.column.id)).toEqual([
      made.id,
      old,
      old,
    ]);
    expectStatus(await fixture.owner.patch(`${columns(table)}/${made.id}`, { name: 'Number' }), 200);
    expect((await ofRow(table, id)).data.map((entry) => entry.changes.at(-1)?.column.name)).toEqual([
      'Number',
      'Qty',
      'Qty',
    ]);
    // What it was called when it was changed is told, too, where that is another name.
    await patch(table, id, { qty: 'three' });
    expectStatus(await fixture.owner.patch(`${columns(table)}/${made.id}`, { name: 'Count' }), 200);
    await patch(table, id, { qty: 'four' });
    expect(
      (await ofRow(table, id)).data.slice(0, 3).map((entry) => {
        const column = entry.changes.at(-1)?.column;
        return [column?.name, column?.nameThen];
      }),
    ).toEqual([
      ['Count', undefined],
      ['Count', 'Number'],
      ['Count', 'Qty'],
    ]);
  });

  it('is within that of its table, with changes of the structure, by person and by act', async () => {
    const table = await newTable([NAME, QTY]);
    const editor = await member(fixture.at, 'editor');
    const [a, b] = ids(
      await bulk(table, [
        { op: 'create', fields: { name: 'a' } },
        { op: 'create', fields: { name: 'b' } },
      ]),
    );
    const set = await lastSet(table);
    expectStatus(await editor.patch(path(table, a ?? ''), { fields: { qty: 1 } }), 200);
    await addColumn(table, { name: 'Due', type: 'date' });
    const { data } = await ofTable(table);
    expect(data.map(({ op }) => op)).toEqual(['schema', 'update', 'create', 'create']);
    expect(data[0]).toMatchObject({ rowId: null, changes: [], structure: { 'column.created': { key: 'due' } } });
    expect((await ofTable(table, `?actorId=${editor.user.id}`)).data.map(({ rowId }) => rowId)).toEqual([a]);
    expect((await ofTable(table, `?changeSet=${set}`)).data.map(({ rowId }) => rowId)).toEqual([b, a]);
    expect(refusal(await fixture.owner.get(`/tables/${table.id}/history?actorId=x`))).toEqual([
      ...[422, 'validation_failed', '/actorId is_uuid'],
    ]);
  });
});

describe('a row that is reverted', () => {
  it('has as a new version what it held in an old one', async () => {
    const table = await newTable([
      NAME,
      QTY,
      { name: 'Tags', type: 'multi_select', options: { choices: [{ label: 'x' }, { label: 'y' }] } },
    ]);
    const { id } = await add(table, { name: 'a', qty: 1, tags: ['x'] });
    await patch(table, id, { qty: 2, tags: ['y', 'x'] });
    await patch(table, id, { name: 'b', tags: null });
    const back = expectStatus(await toVersion(table, id, 1), 200);
    expect([back.version, back.fields, back.skipped]).toEqual([4, { name: 'a', qty: 1, tags: ['x'] }, []]);
    expect(await read(table, id)).toEqual({ ...back, skipped: undefined });
    expect((await ofRow(table, id)).data[0]).toMatchObject({ op: 'update', source: 'revert', version: 4 });
    const forth = expectStatus(await toVersion(table, id, 3), 200);
    expect(forth.fields).toEqual({ name: 'b', qty: 2, tags: [] });
    const same = expectStatus(await toVersion(table, id, 5), 200);
    expect(same.version).toBe(5);
    expect(refusal(await toVersion(table, id, 6))).toEqual([422, 'validation_failed', '/toVersion unknown_version']);
    for (const bad of [0, -1, 1.5, '1', null, undefined, 2 ** 31])
      expect(refusal(await toVersion(table, id, bad))).toEqual([422, 'validation_failed', '/toVersion is_version']);
    expect(refusal(await toVersion(table, id, 1, { 'if-match': '"4"' }))).toEqual([412, 'version_mismatch']);
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    expect(refusal(await toVersion(table, id, 1))).toEqual([404, 'not_found']);
    expectStatus(await fixture.owner.post(`${path(table, id)}/restore`, {}), 200);
    expect(expectStatus(await toVersion(table, id, 2), 200).fields).toEqual({ name: 'a', qty: 2, tags: ['y', 'x'] });
    await fixture.proveLog(table);
  });

  it('is so once under an idempotency key', async () => {
    const table = await newTable([NAME, QTY]);
    const { id } = await add(table, { qty: 1 });
    await patch(table, id, { qty: 2 });
    const key = { 'idempotency-key': 'revert once' };
    const first = expectStatus(await toVersion(table, id, 1, key), 200);
    await patch(table, id, { qty: 3 });
    expect(expectStatus(await toVersion(table, id, 1, key), 200)).toEqual(first);
    expect((await read(table, id)).fields.qty).toBe(3);
  });

  it('keeps what it cannot have back, and names it', async () => {
    const others = await newTable([NAME]);
    const table = await newTable([NAME, QTY, { name: 'Gone', type: 'text' }, { name: 'Made', type: 'text' }]);
    await addColumn(table, { name: 'Other', type: 'link', options: { tableId: others.id } });
    const [kept, lost] = [await add(others, {}), await add(others, {})];
    const { id } = await add(table, { name: 'a', qty: 7, gone: 'g', made: '12', other: [kept.id, lost.id] });
    await patch(table, id, { name: 'b', qty: 8, gone: 'h', made: '13', other: [] });
    expectStatus(await fixture.owner.del(path(others, lost.id)), 204);
    expectStatus(await fixture.owner.del(`${columns(table)}/${columnId(table, 'gone')}`), 204);
    await addColumn(table, { name: 'Gone', type: 'text' });
    await convert(table, 'made', { type: 'integer' });
    const back = expectStatus(await toVersion(table, id, 1), 200);
    expect(back.fields).toMatchObject({ name: 'a', qty: 7, gone: null, made: 13, other: [kept.id] });
    expect(back.skipped.map(({ column, code }) => [column.key, code]).sort()).toEqual([
      ['gone', 'column_gone'],
      ['made', 'column_converted'],
      ['other', 'value_not_possible'],
    ]);
  });
});

describe('a row that comes out of the trash', () => {
  it('has no links in a column that has the key of another one by now', async () => {
    const others = await newTable([NAME]);
    const table = await newTable([NAME]);
    const link = { name: 'Other', type: 'link', options: { tableId: others.id, inverseName: 'Back' } };
    const first = await addColumn(table, link);
    const [other, kept] = [await add(others, {}), await add(table, {})];
    await patch(table, kept.id, { other: [other.id] });
    const { id } = await add(table, { other: [other.id] });
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    expectStatus(await fixture.owner.del(path(table, kept.id)), 204);
    expectStatus(await fixture.owner.post(`${path(table, kept.id)}/restore`, {}), 200);
    expect((await read(table, kept.id)).fields.other).toEqual([other.id]);
    expectStatus(await fixture.owner.del(`${columns(table)}/${first.id}`), 204);
    expect((await addColumn(table, link)).key).toBe('other');
    expectStatus(await fixture.owner.post(`${path(table, id)}/restore`, {}), 200);
    expect((await read(table, id)).fields.other).toEqual([]);
  });
});

describe('changes that are undone', () => {
  it('are those of one act, but for what others have changed since', async () => {
    const table = await newTable([NAME, QTY]);
    const made = ids(
      await bulk(
        table,
        Array.from({ length: 50 }, (_, i) => ({ op: 'create', fields: { qty: i } })),
      ),
    );
    await bulk(table, made.map((id) => ({ op: 'update', id, fields: { qty: 1000 } }))); // prettier-ignore
    const changeSet = await lastSet(table);
    await patch(table, made[0] ?? '', { qty: 5 });
    const found = await dry(table, { changeSet });
    expect([found.rows, found.skipped]).toEqual([49, []]);
    expect(found.conflicts).toEqual([
      {
        ...{ rowId: made[0], code: 'changed_since', value: 0, current: 5 },
        column: { id: columnId(table, 'qty'), key: 'qty', name: 'Qty' },
      },
    ]);
    expect((await read(table, made[7] ?? '')).fields.qty).toBe(1000);
    expect(refusal(await revert(table, { changeSet }))).toEqual([422, 'confirmation_required']);
    const done = expectStatus(await revert(table, { changeSet, confirmToken: found.confirmToken }), 200);
    expect([done.rows, done.conflicts.length]).toEqual([49, 1]);
    expect((await read(table, made[7] ?? '')).fields.qty).toBe(7);
    expect((await read(table, made[0] ?? '')).fields.qty).toBe(5);
    const [entry] = (await ofRow(table, made[7] ?? '')).data;
    expect(entry).toMatchObject({
      source: 'revert',
      revertOf: changeSet,
      changeSet: done.changeSet,
      seq: done.meta.seq,
    });
    // What was undone can be done again, and what others did be overwritten where that is asked.
    await undo(table, { changeSet: done.changeSet });
    expect((await read(table, made[7] ?? '')).fields.qty).toBe(1000);
    await undo(table, { changeSet, onConflict: 'overwrite' });
    expect((await read(table, made[0] ?? '')).fields.qty).toBe(0);
    await fixture.proveLog(table);
  });

  it('are new rows, deleted ones and ones that came back, with their links', async () => {
    const others = await newTable([NAME]);
    const table = await newTable([NAME, QTY]);
    await addColumn(table, { name: 'Other', type: 'link', options: { tableId: others.id, inverseName: 'Back' } });
    const other = await add(others, {});
    const [kept, gone] = [
      await add(table, { qty: 1, other: [other.id] }),
      await add(table, { qty: 2, other: [other.id] }),
    ];
    const from = (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0;
    const [made] = ids(
      await bulk(table, [
        { op: 'create', fields: { qty: 3 } },
        { op: 'update', id: kept.id, fields: { qty: 10, other: [] } },
        { op: 'delete', id: gone.id },
      ]),
    );
    const range = { fromSeq: from + 1, toSeq: from + 1 };
    expect(await dry(table, range)).toMatchObject({ rows: 3, conflicts: [], skipped: [] });
    const done = await undo(table, range);
    expect((await read(table, kept.id)).fields).toMatchObject({ qty: 1, other: [other.id] });
    expect((await read(table, gone.id)).fields).toMatchObject({ qty: 2, other: [other.id] });
    expect((await fixture.owner.get(path(table, made ?? ''))).status).toBe(404);
    expect([...((await read(others, other.id)).fields.back as string[])].sort()).toEqual([kept.id, gone.id].sort());
    await undo(table, { changeSet: done.changeSet });
    expect((await read(table, made ?? '')).fields.qty).toBe(3);
    expect((await fixture.owner.get(path(table, gone.id))).status).toBe(404);
    expect((await read(table, kept.id)).fields).toMatchObject({ qty: 10, other: [] });
    await fixture.proveLog(table);
  });

  it('leave rows alone that others have changed, deleted or brought back since', async () => {
    const table = await newTable([NAME, QTY]);
    const before = await add(table, { qty: 0 });
    const changeSets: string[] = [];
    const act = async (ops: readonly object[]): Promise<string[]> => {
      const made = ids(await bulk(table, ops));
      changeSets.push(await lastSet(table));
      return made;
    };
    const [a, b] = await act([{ op: 'create', fields: { qty: 1 } }, { op: 'create', fields: { qty: 2 } }]); // prettier-ignore
    await patch(table, a ?? '', { qty: 9 });
    await act([{ op: 'delete', id: before.id }]);
    expectStatus(await fixture.owner.post(`${path(table, before.id)}/restore`, {}), 200);
    await act([{ op: 'update', id: b, fields: { qty: 3 } }]);
    expectStatus(await fixture.owner.del(path(table, b ?? '')), 204);
    const [created = '', deleted = '', updated = ''] = changeSets;
    const codes = async (changeSet: string) => (await dry(table, { changeSet })).conflicts.map(({ rowId, code }) => [rowId, code]); // prettier-ignore
    expect(await codes(created)).toEqual([[a, 'changed_since']]);
    expect(await codes(deleted)).toEqual([[before.id, 'restored_since']]);
    expect(await codes(updated)).toEqual([[b, 'deleted_since']]);
    expect((await undo(table, { changeSet: created })).rows).toBe(0);
  });

  it('are what a person did within a time', async () => {
    const table = await newTable([NAME, QTY]);
    const editor = await member(fixture.at, 'editor');
    const { id } = await add(table, { name: 'mine', qty: 1 });
    expectStatus(await editor.patch(path(table, id), { fields: { name: 'theirs' } }), 200);
    await patch(table, id, { qty: 2 });
    const all = { actorId: editor.user.id, from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
    expect(await undo(table, all)).toMatchObject({ rows: 1, conflicts: [] });
    expect((await read(table, id)).fields).toEqual({ name: 'mine', qty: 2 });
    expect((await undo(table, { ...all, to: '2021-01-01T00:00:00Z' })).rows).toBe(0);
  });

  it('are undone by one of two who do so at once, as they were when they looked', async () => {
    const table = await newTable([NAME, QTY]);
    const { id } = await add(table, { qty: 1 });
    await patch(table, id, { qty: 2 });
    const changeSet = await lastSet(table);
    const { confirmToken } = await dry(table, { changeSet });
    const both = await Promise.all([1, 2].map(() => revert(table, { changeSet, confirmToken })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)?.body.code).toBe('confirmation_stale');
    expect((await read(table, id)).fields.qty).toBe(1);
  });

  it('have to be named in one of three ways', async () => {
    const table = await newTable([NAME]);
    const bad = async (body: unknown) => refusal(await revert(table, body as object));
    const which = [422, 'validation_failed', ' which_changes'];
    for (const body of [
      {},
      { fromSeq: 1 },
      { changeSet: randomUUID(), fromSeq: 1, toSeq: 2 },
      { actorId: randomUUID() },
    ])
      expect(await bad({ dryRun: true, ...body })).toEqual(which);
    expect(await bad({ changeSet: 'x', dryRun: true })).toEqual([422, 'validation_failed', '/changeSet is_id']);
    expect(await bad({ fromSeq: 2, toSeq: 1, dryRun: true })).toEqual([
      422,
      'validation_failed',
      '/toSeq out_of_range',
    ]);
    expect(await bad({ fromSeq: 'a', toSeq: 1 })).toEqual([422, 'validation_failed', '/fromSeq is_seq']);
    expect(await bad({ changeSet: randomUUID(), dryRun: 1 })).toEqual([422, 'validation_failed', '/dryRun is_boolean']);
    expect(await bad({ changeSet: randomUUID(), oops: 1 })).toEqual([
      422,
      'validation_failed',
      '/oops unknown_property',
    ]);
    expect(await bad({ changeSet: randomUUID(), confirmToken: 'x' })).toEqual([409, 'confirmation_stale']);
    expect(await dry(table, { changeSet: randomUUID() })).toMatchObject({ rows: 0, conflicts: [], skipped: [] });
  });

  it('may be thousands, of rows unique as they were before', async () => {
    const table = await newTable([NAME, { name: 'Code', type: 'text', unique: true }]);
    for (let i = 0; i < 3; i++)
      await bulk(
        table,
        Array.from({ length: 1000 }, (_, n) => ({ op: 'create', fields: { code: `${i}-${n}` } })),
      );
    const seq = (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0;
    const done = await undo(table, { fromSeq: seq - 2, toSeq: seq });
    expect(done.rows).toBe(3000);
    const list = expectStatus(await fixture.owner.get<Page>(`${path(table)}?count=exact&limit=1`), 200);
    expect(list.count?.value).toBe(0);
    const taken = await add(table, { code: '1-1' });
    const back = await undo(table, { changeSet: done.changeSet });
    const code = { id: columnId(table, 'code'), key: 'code', name: 'Code' };
    expect([back.rows, back.skipped]).toEqual([3000, [{ rowId: expect.any(String), column: code, code: 'value_taken' }]]); // prettier-ignore
    const one = back.skipped[0]?.rowId ?? '';
    expect([(await read(table, one)).fields.code, (await read(table, taken.id)).fields.code]).toEqual([null, '1-1']);
    // It is undone like anything else, and what was left empty comes back with what is older once the value is free.
    expect((await undo(table, { changeSet: back.changeSet })).rows).toBe(3000);
    expectStatus(await fixture.owner.del(path(table, taken.id)), 204);
    const { seq: toSeq = 0 } = (await ofTable(table, '?limit=1')).data[0] ?? {};
    expect(await undo(table, { fromSeq: seq + 1, toSeq })).toMatchObject({ skipped: [] });
    expect((await read(table, one)).fields.code).toBe('1-1');
    await fixture.proveLog(table);
  });

  it('are links that were taken from others, which get them back', async () => {
    const others = await newTable([NAME]);
    const table = await newTable([NAME]);
    await addColumn(others, { name: 'Holder', type: 'link', options: { tableId: table.id, multiple: false, inverseName: 'Held' } }); // prettier-ignore
    const thing = await add(others, {});
    const [first, second] = [await add(table, { held: [thing.id] }), await add(table, {})];
    const held = async () => [(await read(table, first.id)).fields.held, (await read(table, second.id)).fields.held];
    await patch(table, second.id, { held: [thing.id] });
    expect(await held()).toEqual([[], [thing.id]]);
    const taken = await undo(table, { changeSet: await lastSet(table) });
    expect([taken.skipped, await held()]).toEqual([[], [[thing.id], []]]);
    const [made = ''] = ids(await bulk(table, [{ op: 'create', fields: { held: [thing.id] } }]));
    const by = await undo(table, { changeSet: await lastSet(table) });
    expect([by.skipped, await held()]).toEqual([[], [[thing.id], []]]);
    expect((await fixture.owner.get(path(table, made))).status).toBe(404);
    await fixture.proveLog(table);
    await fixture.proveLog(others);
  });

  it('put no links into a column that has only the key of the one they were in', async () => {
    const others = await newTable([NAME]);
    const table = await newTable([NAME]);
    const link = { name: 'Ref', type: 'link', options: { tableId: others.id } };
    const first = await addColumn(table, link);
    const other = await add(others, {});
    const row = await add(table, { name: 'a', ref: [other.id] });
    expectStatus(await fixture.owner.del(path(table, row.id)), 204);
    const changeSet = await lastSet(table);
    expectStatus(await fixture.owner.del(`${columns(table)}/${first.id}`), 204);
    const second = await addColumn(table, link);
    expect([second.key, second.id === first.id]).toEqual(['ref', false]);
    await undo(table, { changeSet });
    expect((await read(table, row.id)).fields).toMatchObject({ name: 'a', ref: [] });
  });

  it('are rows that come back in the place of those that took it', async () => {
    const table = await newTable([NAME, { name: 'Code', type: 'text', unique: true }]);
    const old = await add(table, { code: 'A' });
    const fromSeq = (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0;
    expectStatus(await fixture.owner.del(path(table, old.id)), 204);
    await add(table, { code: 'A' });
    await undo(table, { fromSeq: fromSeq + 1, toSeq: fromSeq + 2 });
    const { data } = expectStatus(await fixture.owner.get<Page>(path(table)), 200);
    expect(data.map(({ id, fields }) => [id, fields.code])).toEqual([[old.id, 'A']]);
  });

  it('are unique values that were handed on from row to row', async () => {
    const table = await newTable([NAME, { name: 'Code', type: 'text', unique: true }]);
    const rows = [await add(table, { code: 'A' }), await add(table, { code: 'B' }), await add(table, { code: 'C' })];
    const [first, second, third] = rows.map(({ id }) => id) as [string, string, string];
    const codes = () => Promise.all(rows.map(async ({ id }) => (await read(table, id)).fields.code));
    const fromSeq = (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0;
    await patch(table, first, { code: 'free' });
    await patch(table, third, { code: 'A' });
    await patch(table, second, { code: 'C' });
    const done = await undo(table, { fromSeq: fromSeq + 1, toSeq: fromSeq + 3 });
    expect([done.rows, await codes()]).toEqual([3, ['A', 'B', 'C']]);
    await undo(table, { changeSet: done.changeSet });
    expect(await codes()).toEqual(['free', 'C', 'A']);
    await fixture.proveLog(table);
  });

  it('are no deletion that somebody else has made once more', async () => {
    const table = await newTable([NAME]);
    const { id } = await add(table, { name: 'a' });
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    const changeSet = await lastSet(table);
    expectStatus(await fixture.owner.post(`${path(table, id)}/restore`, {}), 200);
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    for (const onConflict of ['skip', 'overwrite'])
      expect(await dry(table, { changeSet, onConflict })).toMatchObject({
        rows: 0,
        conflicts: [{ rowId: id, code: 'deleted_since' }],
      });
    expect(await dry(table, { changeSet: await lastSet(table) })).toMatchObject({ rows: 1, conflicts: [] });
  });

  it('are values of JSON whatever members they have', async () => {
    const table = await newTable([NAME, { name: 'Data', type: 'json' }]);
    const values = [{ $add: 1, $remove: 2 }, { $add: ['a'], $remove: ['b'] }, ['x']];
    const { id } = await add(table, { data: values[0] });
    for (const data of values.slice(1)) await patch(table, id, { data });
    for (const version of [2, 1]) {
      expectStatus(await toVersion(table, id, version), 200);
      expect((await read(table, id)).fields.data).toEqual(values[version - 1]);
    }
  });

  it('are told and undone within bounds, however long they are', async () => {
    const table = await newTable([NAME]);
    const rows = [await add(table, { name: 'a' }), await add(table, { name: 'b' }), await add(table, { name: 'c' })];
    await sql(fixture.app.config.miniDb, `update "${table.physical.schema}"._change set after = json_build_object('name', repeat('x', 12000000)) where table_id = $1 and op = 'create'`, [table.id]); // prettier-ignore
    const seen: unknown[] = [];
    for (let query = '?limit=100'; ;) {
      const { data, page } = await ofTable(table, query);
      seen.push(data.flatMap(({ rowId }) => rowId ?? []));
      if (page.nextCursor === undefined) break;
      query = `?limit=100&cursor=${page.nextCursor}`;
    }
    expect(seen).toEqual([...rows].reverse().map(({ id }) => [id]));
    await sql(fixture.app.config.miniDb, `update "${table.physical.schema}"._change set after = json_build_object('name', repeat('x', 24000000)) where table_id = $1 and op = 'create'`, [table.id]); // prettier-ignore
    const all = { fromSeq: 1, toSeq: 100, dryRun: true };
    expect(refusal(await revert(table, all)).slice(0, 2)).toEqual([422, 'limit_reached']);
    expectStatus(await revert(table, { ...all, fromSeq: 2 }), 200);
  });
});

describe('undoing', () => {
  const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

  it(`leads back to any moment, whatever was done since (SEED=${SEED})`, async () => {
    const random = randomOf(SEED);
    const tags = {
      name: 'Tags',
      type: 'multi_select',
      options: { choices: [{ label: 'x' }, { label: 'y' }, { label: 'z' }] },
    };
    const table = await newTable([NAME, QTY, tags]);
    await addColumn(table, { name: 'Up', type: 'link', options: { tableId: table.id, inverseName: 'Down' } });
    const one = { tableId: table.id, multiple: false, inverseName: 'Team' };
    await addColumn(table, { name: 'Boss', type: 'link', options: one });
    const shown = async (): Promise<ReadonlyMap<string, object>> => {
      const { data } = expectStatus(await fixture.owner.get<Page>(`${path(table)}?limit=1000`), 200);
      return new Map(data.map(({ id, fields }) => [id, { ...fields, up: new Set(fields.up as string[]), down: new Set(fields.down as string[]), team: new Set(fields.team as string[]) }])); // prettier-ignore
    };
    const all: string[] = [];
    const trash = new Set<string>();
    const moments: { readonly seq: number; readonly rows: ReadonlyMap<string, object> }[] = [];
    const value = (live: readonly string[], isFirst = false) =>
      pick(random, [
        // The first of an act may take rows from others, which lose them by it.
        isFirst ? { team: some(random, live, 3) } : { boss: some(random, live, 1) },
        { qty: below(random, 5) },
        { name: pick(random, ['a', 'b', 'c']) },
        { tags: some(random, ['x', 'y', 'z'], 3) },
        { up: some(random, live, 2) },
      ]);
    for (let step = 0; step < 40; step++) {
      const live = all.filter((id) => !trash.has(id));
      if (step % 8 === 4)
        moments.push({ seq: (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0, rows: await shown() });
      const gone = [...trash];
      if (gone.length > 0 && random() < 0.2) {
        const id = pick(random, gone);
        expectStatus(await fixture.owner.post(`${path(table, id)}/restore`, {}), 200);
        trash.delete(id);
        continue;
      }
      const touched = some(random, live, 3);
      const ops = touched.map((id, i) => {
        const others = live.filter((each) => !touched.includes(each));
        if (random() < 0.75) return { op: 'update', id, fields: value(others, i === 0) };
        trash.add(id);
        return { op: 'delete', id };
      });
      const made = { op: 'create', fields: value([]) };
      all.push(...ids(await bulk(table, [...ops, ...(random() < 0.5 || ops.length === 0 ? [made] : [])])).filter((id) => !all.includes(id))); // prettier-ignore
    }
    for (const { seq, rows } of moments.reverse()) {
      const toSeq = (await ofTable(table, '?limit=1')).data[0]?.seq ?? 0;
      const done = await undo(table, { fromSeq: seq + 1, toSeq });
      expect([done.conflicts, done.skipped]).toEqual([[], []]);
      expect(await shown()).toEqual(rows);
    }
    await fixture.proveLog(table);
  });
});
