import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  asSuperuser,
  expectStatus,
  sql,
  waitFor,
  type Answer,
  type ProblemBody,
  type Row,
  type Table,
} from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { addIndex, settled } from '../support/indexes.js';
import { plainRevert, type PlainTable } from '../support/plain-revert.js';
import { below, pick, randomOf } from '../support/random.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';
import { code, member, putRules } from '../support/rules.js';

const fixture = rowsFixture();
const { newTable, add, bulk } = fixture;

interface Skipped {
  readonly rowId: string;
  readonly column?: { readonly key: string };
  readonly code: string;
}
interface Told {
  readonly rows: number;
  readonly conflicts: readonly object[];
  readonly skipped: readonly Skipped[];
  readonly confirmToken: string;
  readonly changeSet: string;
}

const NAME = { name: 'Name', type: 'text' };
const CODE = { name: 'Code', type: 'text', unique: true };
const revert = (table: Table, body: object): Promise<Answer<Told & ProblemBody>> =>
  fixture.owner.post<Told & ProblemBody>(`/tables/${table.id}/revert`, body);
const dry = async (table: Table, body: object): Promise<Told> =>
  expectStatus(await revert(table, { ...body, dryRun: true }), 200);
/** A dry run, and what it said done. */
const undo = async (table: Table, body: object): Promise<Told> => {
  const { confirmToken, ...told } = await dry(table, body);
  const done = expectStatus(await revert(table, { ...body, confirmToken }), 200);
  expect(done).toMatchObject(told);
  return done;
};
const patch = async (table: Table, id: string, fields: object): Promise<Row> =>
  expectStatus(await fixture.owner.patch<Row>(path(table, id), { fields }), 200);
const remove = async (table: Table, id: string): Promise<void> =>
  void expectStatus(await fixture.owner.del(path(table, id)), 204);
const seqOf = async (table: Table): Promise<number> => (await fixture.list(table, 'limit=1')).meta.seq;
/** What is done behind a moment, as a revert names it. */
const behind = async (table: Table, seq: number) => ({ fromSeq: seq + 1, toSeq: await seqOf(table) });
const rowsOf = async (table: Table): Promise<ReadonlyMap<string, Row['fields']>> => {
  const { data } = expectStatus(await fixture.owner.get<Page>(`${path(table)}?limit=1000`), 200);
  return new Map(data.map(({ id, fields }) => [id, fields]));
};
const field = async (table: Table, id: string, key = 'code'): Promise<unknown> => (await rowsOf(table)).get(id)?.[key];
const leftOut = ({ skipped }: Told) => skipped.map(({ rowId, column, code: why }) => [rowId, column?.key, why]);

describe('a unique value that is undone', () => {
  it('stays as it is where another row has it by now, and all the rest goes back', async () => {
    const table = await newTable([NAME, CODE]);
    const [one, two] = [await add(table, { name: 'a', code: 'x' }), await add(table, { name: 'b', code: 'y' })];
    const seq = await seqOf(table);
    await patch(table, one.id, { name: 'A', code: 'x2' });
    await patch(table, two.id, { name: 'B', code: 'y2' });
    const which = await behind(table, seq);
    await add(table, { code: 'x' });
    const done = await undo(table, which);
    expect([done.rows, done.conflicts, leftOut(done)]).toEqual([2, [], [[one.id, 'code', 'value_taken']]]);
    const now = await rowsOf(table);
    expect([now.get(one.id), now.get(two.id)]).toEqual([{ name: 'a', code: 'x2' }, { name: 'b', code: 'y' }]); // prettier-ignore
    // Nobody is overwritten that way either: it is another row.
    const forced = await undo(table, { ...which, onConflict: 'overwrite' });
    expect([forced.rows, leftOut(forced)]).toEqual([0, [[one.id, 'code', 'value_taken']]]);
    await fixture.proveLog(table);
  });

  it('is the same in a column of mail addresses whatever the case, and another one in an index that has values as they are', async () => {
    const table = await newTable([
      NAME,
      { name: 'Mail', type: 'email', unique: true },
      { name: 'Other', type: 'email' },
    ]);
    const index = await addIndex(fixture.owner, table, { columns: [{ field: 'name' }, { field: 'other' }], unique: true }); // prettier-ignore
    expect((await settled(fixture.owner, table, index.id)).state).toBe('ready');
    const row = await add(table, { name: 'n', mail: 'ada@example.org', other: 'ada@example.org' });
    const seq = await seqOf(table);
    await patch(table, row.id, { mail: 'bea@example.org', other: 'bea@example.org' });
    const which = await behind(table, seq);
    const taken = await add(table, { name: 'n', mail: 'ADA@example.org', other: 'ADA@example.org' });
    expect(leftOut(await undo(table, which))).toEqual([[row.id, 'mail', 'value_taken']]);
    expect((await rowsOf(table)).get(row.id)).toMatchObject({ mail: 'bea@example.org', other: 'ada@example.org' });
    await patch(table, row.id, { other: 'bea@example.org' });
    await patch(table, taken.id, { other: 'ada@example.org' });
    expect(leftOut(await dry(table, { ...which, onConflict: 'overwrite' }))).toEqual([
      [row.id, 'mail', 'value_taken'],
      [row.id, 'other', 'value_taken'],
    ]);
  });

  it('goes to the first of two that ask for it, since it need not have been unique when they had it', async () => {
    const table = await newTable([NAME, { ...CODE, unique: false }]);
    const [one, two] = [await add(table, { code: 'x' }), await add(table, { code: 'x' })];
    const seq = await seqOf(table);
    await patch(table, two.id, { code: '2' });
    await patch(table, one.id, { code: '1' });
    const which = await behind(table, seq);
    const column = table.columns.find(({ key }) => key === 'code')?.id ?? '';
    expectStatus(await fixture.owner.patch(`/tables/${table.id}/columns/${column}`, { unique: true }), 200);
    const done = await undo(table, which);
    expect([done.rows, leftOut(done)]).toEqual([1, [[one.id, 'code', 'value_taken']]]);
    expect([await field(table, one.id), await field(table, two.id)]).toEqual(['1', 'x']);
  });

  it('goes back where rows have swapped, or handed on in a circle of thousands, with one entry for each row', async () => {
    const table = await newTable([NAME, { ...CODE, required: true }]);
    const [a, b] = [await add(table, { code: 'a' }), await add(table, { code: 'b' })];
    let seq = await seqOf(table);
    await patch(table, a.id, { code: 'free' });
    await patch(table, b.id, { code: 'a', name: 'B' });
    await patch(table, a.id, { code: 'b' });
    const swapped = await undo(table, await behind(table, seq));
    expect([swapped.rows, leftOut(swapped)]).toEqual([2, []]);
    expect([await field(table, a.id), await field(table, b.id), await field(table, b.id, 'name')]).toEqual(['a', 'b', 'x']); // prettier-ignore
    const entries = (await loggedChanges(fixture.app.config.miniDb, table)).filter((each) => each.seq > seq + 3);
    expect(entries.map(({ op, before, after }) => [op, before, after])).toEqual([
      ['update', { code: 'b' }, { code: 'a' }],
      ['update', { name: 'B', code: 'a' }, { name: 'x', code: 'b' }],
    ]);
    await undo(table, { changeSet: swapped.changeSet });
    expect([await field(table, a.id), await field(table, b.id)]).toEqual(['b', 'a']);
    const many = 2_200;
    const ids: string[] = [];
    for (let from = 0; from < many; from += 1_000) {
      const ops = Array.from({ length: Math.min(1_000, many - from) }, (_, i) => ({ op: 'create', fields: { code: `n${from + i}` } })); // prettier-ignore
      ids.push(...expectStatus(await bulk(table, ops), 200).results.map(({ id = '' }) => id));
    }
    seq = await seqOf(table);
    for (const codeOf of [(i: number) => `t${i}`, (i: number) => `n${(i + 1) % many}`])
      for (let from = 0; from < many; from += 1_000)
        expectStatus(await bulk(table, ids.slice(from, from + 1_000).map((id, i) => ({ op: 'update', id, fields: { code: codeOf(from + i) } }))), 200); // prettier-ignore
    const round = await undo(table, await behind(table, seq));
    expect([round.rows, leftOut(round)]).toEqual([many, []]);
    const codes = await sql<{ id: string; code: string }>(fixture.app.config.miniDb, `select _id as id, code from "${table.physical.schema}"."${table.physical.table}" where _deleted_at is null`); // prettier-ignore
    const held = new Map(codes.map((each) => [each.id, each.code]));
    expect(ids.map((id) => held.get(id))).toEqual(ids.map((_, i) => `n${i}`));
    await fixture.proveLog(table);
  });

  it('goes back from row to row across tables, with the links between them, in one revert of the base', async () => {
    const { owner, at } = fixture;
    const [left, right] = [await newTable([NAME, CODE]), await newTable([NAME, CODE])];
    expectStatus(await owner.post(`/tables/${left.id}/columns`, { name: 'Mates', type: 'link', options: { tableId: right.id, inverseName: 'Friends' } }), 201); // prettier-ignore
    const script = await member(owner, at.workspace.id, 'editor');
    const made = async (table: Table, fields: object) => (await add(table, fields)).id;
    const r = [await made(right, { code: 'r0' }), await made(right, { code: 'r1' })] as const;
    const l = [
      await made(left, { code: 'l0', mates: [r[0]] }),
      await made(left, { code: 'l1', mates: [r[1]] }),
    ] as const;
    const before = [await rowsOf(left), await rowsOf(right)];
    const by = async (table: Table, id: string, fields: object) =>
      expectStatus(await script.patch(path(table, id), { fields }), 200);
    await by(left, l[0], { code: 'free', mates: [r[1]] });
    await by(left, l[1], { code: 'l0', mates: [] });
    await by(left, l[0], { code: 'l1' });
    // Whoever comes back is linked with one of them, and has had the code that another one took.
    expectStatus(await script.del(path(right, r[0])), 204);
    await by(right, r[1], { code: 'r0' });
    const which = { actorId: script.user.id, from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
    const at1 = `/bases/${at.base.id}/revert`;
    const { confirmToken, rows, counts } = expectStatus(await owner.post<Told & { counts: object }>(at1, { ...which, dryRun: true }), 200); // prettier-ignore
    expect([rows, counts]).toEqual([4, { conflicts: 0, skipped: 0 }]);
    expectStatus(await owner.post(at1, { ...which, confirmToken }), 200);
    expect([await rowsOf(left), await rowsOf(right)]).toEqual(before);
    for (const table of [left, right]) await fixture.proveLog(table);
  });
});

describe('a row that comes back', () => {
  it('has what it held before it was changed, although what it went with is taken by now', async () => {
    const table = await newTable([NAME, CODE]);
    const row = await add(table, { name: 'a', code: 'old' });
    const seq = await seqOf(table);
    await patch(table, row.id, { code: 'new' });
    await remove(table, row.id);
    const which = await behind(table, seq);
    await add(table, { code: 'new' });
    const done = await undo(table, which);
    expect([done.rows, leftOut(done), await field(table, row.id)]).toEqual([1, [], 'old']);
    await fixture.proveLog(table);
    // And keeps what it went with, where it is the older one that is taken.
    const from = await seqOf(table);
    await patch(table, row.id, { code: 'newer' });
    await remove(table, row.id);
    const later = await behind(table, from);
    await add(table, { code: 'old' });
    const again = await undo(table, later);
    expect([leftOut(again), await field(table, row.id)]).toEqual([[[row.id, 'code', 'value_taken']], 'newer']);
    await fixture.proveLog(table);
  });

  it('is empty where its value is taken, or stays in the trash where that may not be', async () => {
    const columns = [NAME, CODE, { name: 'Must', type: 'text', unique: true, required: true }];
    const table = await newTable([...columns, { name: 'A', type: 'integer' }, { name: 'B', type: 'integer' }]);
    const index = await addIndex(fixture.owner, table, { columns: [{ field: 'a' }, { field: 'b' }], unique: true });
    expect((await settled(fixture.owner, table, index.id)).state).toBe('ready');
    const rows: string[] = [];
    for (let i = 0; i < 4; i++) rows.push((await add(table, { code: `c${i}`, must: `m${i}`, a: 1, b: i })).id);
    const [r0 = '', r1 = '', r2 = '', r3 = ''] = rows;
    const seq = await seqOf(table);
    expectStatus(await bulk(table, rows.map((id) => ({ op: 'delete', id }))), 200); // prettier-ignore
    const which = await behind(table, seq);
    const [x, y] = [await add(table, { code: 'c0', must: 'm1', a: 5, b: 5 }), await add(table, { code: 'other', must: 'other', a: 1, b: 2 })]; // prettier-ignore
    const done = await undo(table, which);
    expect([done.rows, leftOut(done)]).toEqual([
      2,
      [
        [r0, 'code', 'value_taken'],
        [r1, 'must', 'row_value_taken'],
        [r2, 'a', 'row_value_taken'],
        [r2, 'b', 'row_value_taken'],
      ],
    ]);
    const now = await rowsOf(table);
    expect([...now.keys()].sort()).toEqual([r0, r3, x.id, y.id].sort());
    expect(now.get(r0)).toMatchObject({ code: null, must: 'm0', a: 1, b: 0 });
    // Those that stayed come back once there is room for them.
    for (const { id } of [x, y]) await remove(table, id);
    expect(await undo(table, which)).toMatchObject({ rows: 2, skipped: [] });
    await fixture.proveLog(table);
  });

  it('stays in the trash where it has nothing in a column that is required since', async () => {
    const table = await newTable([NAME, { name: 'Qty', type: 'integer' }]);
    const rows = [await add(table, { qty: 1 }), await add(table, {}), await add(table, { qty: 3 })];
    const [full, empty, emptied] = rows.map(({ id }) => id) as [string, string, string];
    const seq = await seqOf(table);
    await patch(table, emptied, { qty: null });
    expectStatus(await bulk(table, rows.map(({ id }) => ({ op: 'delete', id }))), 200); // prettier-ignore
    const which = await behind(table, seq);
    const column = table.columns.find(({ key }) => key === 'qty')?.id ?? '';
    expectStatus(await fixture.owner.patch(`/tables/${table.id}/columns/${column}`, { required: true }), 200);
    const done = await undo(table, which);
    expect([done.rows, leftOut(done)]).toEqual([2, [[empty, 'qty', 'row_value_missing']]]);
    expect(await rowsOf(table)).toEqual(new Map([[full, { name: 'x', qty: 1 }], [emptied, { name: 'x', qty: 3 }]])); // prettier-ignore
    await fixture.proveLog(table);
  });
});

describe('a value that others take while it is undone', () => {
  /** Two rows whose codes were changed, and the changes. */
  const changedRows = async () => {
    const table = await newTable([NAME, CODE]);
    const [one, two] = [await add(table, { code: 'x' }), await add(table, { code: 'y' })];
    const seq = await seqOf(table);
    await patch(table, one.id, { code: 'x2' });
    await patch(table, two.id, { code: 'y2' });
    const which = await behind(table, seq);
    return { table, one, two, which };
  };

  it('makes the confirmation stale, and is named by the next dry run', async () => {
    const { table, one, two, which } = await changedRows();
    const { confirmToken, skipped } = await dry(table, which);
    expect(skipped).toEqual([]);
    await add(table, { code: 'x' });
    const stale = await revert(table, { ...which, confirmToken });
    expect(refusal(stale).slice(0, 2)).toEqual([409, 'confirmation_stale']);
    expect([await field(table, one.id), await field(table, two.id)]).toEqual(['x2', 'y2']);
    const done = await undo(table, which);
    expect([done.rows, leftOut(done)]).toEqual([1, [[one.id, 'code', 'value_taken']]]);
    expect([await field(table, one.id), await field(table, two.id)]).toEqual(['x2', 'y']);
  });

  it('makes it stale also where the revert only comes upon it when it writes', async () => {
    const { table, one, two, which } = await changedRows();
    const { confirmToken } = await dry(table, which);
    const { schema, table: name } = table.physical;
    const refused = await asSuperuser(fixture.app.config.miniDb.database, async (other) => {
      await other.query('begin');
      // A row that nobody sees yet: the revert comes upon it when it writes.
      await other.query(`insert into "${schema}"."${name}" (_id, _version, _created_at, _updated_at, code) values (gen_random_uuid(), 1, now(), now(), 'x')`); // prettier-ignore
      const asked = revert(table, { ...which, confirmToken });
      const isWaiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      while ((await other.query(isWaiting)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      await other.query('commit');
      return asked;
    });
    expect(refusal(refused).slice(0, 2)).toEqual([409, 'confirmation_stale']);
    expect([await field(table, one.id), await field(table, two.id)]).toEqual(['x2', 'y2']);
  });

  it('makes it stale as soon as the revert sees one of several, and nothing was written', async () => {
    const table = await newTable([NAME, CODE]);
    const rows: string[] = [];
    for (let i = 0; i < 5; i++) rows.push((await add(table, { code: `x${i}` })).id);
    const seq = await seqOf(table);
    for (const [i, id] of rows.entries()) await patch(table, id, { code: `y${i}` });
    const which = await behind(table, seq);
    const { confirmToken } = await dry(table, which);
    const { host, port, username: user, password, database } = fixture.app.config.miniDb;
    const { schema, table: name } = table.physical;
    // Each has one of the values, and lets the revert see it only once that waits for it.
    const others = new Map<number, pg.Client>();
    for (const i of rows.keys()) {
      const other = new pg.Client({ host, port, user, password, database });
      await other.connect();
      await other.query('begin');
      await other.query(`insert into "${schema}"."${name}" (_id, _version, _created_at, _updated_at, code) values (gen_random_uuid(), 1, now(), now(), $1)`, [`x${i}`]); // prettier-ignore
      const { rows: told } = await other.query<{ pid: number }>('select pg_backend_pid() as pid');
      others.set(told[0]?.pid ?? 0, other);
    }
    let isOver = false;
    const asked = revert(table, { ...which, confirmToken }).finally(() => (isOver = true));
    const waiting = `select pg_blocking_pids(pid) as pids from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    await waitFor(async () => {
      const found = await sql<{ pids: number[] }>(fixture.app.config.miniDb, waiting);
      for (const pid of found.flatMap(({ pids }) => pids)) await others.get(pid)?.query('commit');
      return isOver;
    }, 30_000, 10); // prettier-ignore
    for (const other of others.values()) await other.end();
    const refused = await asked;
    expect(refusal(refused).slice(0, 2)).toEqual([409, 'confirmation_stale']);
    for (const [i, id] of rows.entries()) expect(await field(table, id)).toBe(`y${i}`);
  });
});

describe('undo, redo and the revert of one row', () => {
  it('are refused with the rows and the columns whose values are taken, and go on once they are free', async () => {
    const table = await newTable([NAME, CODE]);
    const tab = { 'x-client-id': 'tab' };
    const rows = [await add(table, { code: 'a' }), await add(table, { code: 'b' })];
    const [one, two] = rows.map(({ id }) => id) as [string, string];
    const ops = [{ op: 'update', id: one, fields: { code: 'a2' } }, { op: 'update', id: two, fields: { code: 'b2' } }]; // prettier-ignore
    expectStatus(await fixture.owner.post(path(table, 'bulk'), { ops }, tab), 200);
    const take = (what: 'undo' | 'redo') => fixture.owner.post<ProblemBody>(`/tables/${table.id}/${what}`, {}, tab);
    const taken = await add(table, { code: 'b' });
    const refused = await take('undo');
    expect(refusal(refused)).toEqual([409, 'unique_violation', '/fields/code unique_violation']);
    expect(refused.body.errors).toMatchObject([{ tableId: table.id, rowId: two }]);
    expect(await field(table, one)).toBe('a2');
    await remove(table, taken.id);
    expectStatus(await take('undo'), 200);
    const again = await add(table, { code: 'a2' });
    const redone = await take('redo');
    expect([refusal(redone), redone.body.errors]).toMatchObject([[409, 'unique_violation', '/fields/code unique_violation'], [{ rowId: one }]]); // prettier-ignore
    const back = await fixture.owner.post(`${path(table, one)}/revert`, { toVersion: 2 });
    expect(refusal(back)).toEqual([409, 'unique_violation', '/fields/code unique_violation']);
    await remove(table, again.id);
    expectStatus(await take('redo'), 200);
    expect([await field(table, one), await field(table, two)]).toEqual(['a2', 'b2']);
  });
});

describe('values that are unique together', () => {
  it('are named together where they are taken, and not at all where one of them is not seen', async () => {
    const table = await newTable([NAME, { name: 'A', type: 'text' }, { name: 'B', type: 'text' }]);
    const index = await addIndex(fixture.owner, table, { columns: [{ field: 'a' }, { field: 'b' }], unique: true });
    expect((await settled(fixture.owner, table, index.id)).state).toBe('ready');
    const editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
    const row = await add(table, { a: 'x', b: 'y' });
    const seq = await seqOf(table);
    expectStatus(await editor.patch(path(table, row.id), { fields: { a: 'other' } }), 200);
    const which = await behind(table, seq);
    await add(table, { a: 'x', b: 'y' });
    const undoing = async () => (await editor.post<ProblemBody>(`/tables/${table.id}/undo`, {})).body.errors;
    expect(await undoing()).toMatchObject([{ pointer: '/fields/a', detail: 'Another row has the same a, b.' }]);
    expect((await dry(table, which)).skipped).toMatchObject([{ code: 'value_taken', together: ['a', 'b'] }]);
    await putRules(fixture.owner, table, { name: 'part', columns: { hidden: ['b'] } });
    expect(await undoing()).toMatchObject([{ detail: 'Another row has the same values in a unique index.' }]);
  });
});

describe('undo under rules', () => {
  const SECRET = { name: 'Secret', type: 'text', unique: true };
  const QTY = { name: 'Qty', type: 'integer' };
  const tabOf = async (rules: object) => {
    const table = await newTable([NAME, CODE, SECRET, QTY]);
    const editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
    await putRules(fixture.owner, table, { name: 'part', appliesTo: { roles: ['editor'] }, ...rules });
    const undoing = () => editor.post<Told & ProblemBody>(`/tables/${table.id}/undo`, {});
    return { table, editor, undoing };
  };

  it('is refused without the name of a hidden column whose value is taken, which is not emptied either', async () => {
    const { table, editor, undoing } = await tabOf({ columns: { hidden: ['secret'] } });
    const row = await add(table, { secret: 'classified' });
    expectStatus(await editor.del(path(table, row.id)), 204);
    const taken = await add(table, { secret: 'classified' });
    const refused = await undoing();
    expect(refusal(refused)).toEqual([409, 'unique_violation', '/fields unique_violation']);
    expect(refused.body.errors).toMatchObject([{ rowId: row.id }]);
    expect(refused.text).not.toMatch(/secret|classified/i);
    await remove(table, taken.id);
    expectStatus(await undoing(), 200);
    expect(await field(table, row.id, 'secret')).toBe('classified');
    await fixture.proveLog(table);
  });

  it('hands values back between rows that may be changed, and none of them where one may not', async () => {
    const { table, editor, undoing } = await tabOf({ update: { filter: { field: 'qty', op: 'lt', value: 5 } } });
    const [one, two] = [await add(table, { code: 'a', qty: 1 }), await add(table, { code: 'b', qty: 1 })];
    const codes = async () => [await field(table, one.id), await field(table, two.id)];
    // By the owner, in two calls: one statement cannot do it. The log says then that it was one act of the editor.
    const act = async () => {
      const seq = await seqOf(table);
      await patch(table, one.id, { code: 'c' });
      await patch(table, two.id, { code: 'a' });
      await patch(table, one.id, { code: 'b' });
      await sql(fixture.app.config.miniDb, `update "${table.physical.schema}"._change set actor_id = $3, client_id = null, change_set = gen_random_uuid() where table_id = $1 and seq > $2`, [table.id, seq, editor.user.id]); // prettier-ignore
      await sql(fixture.app.config.miniDb, `update "${table.physical.schema}"._change set change_set = (select change_set from "${table.physical.schema}"._change where table_id = $1 order by seq desc limit 1) where table_id = $1 and seq > $2`, [table.id, seq]); // prettier-ignore
    };
    await act();
    expect((await undoing()).body.rows).toBe(2);
    expect(await codes()).toEqual(['a', 'b']);
    await act();
    await patch(table, two.id, { qty: 9 });
    expect(code(await undoing())).toBe('403 ruled_out');
    expect(await codes()).toEqual(['b', 'a']);
    await patch(table, two.id, { qty: 2 });
    expectStatus(await undoing(), 200);
    expect(await codes()).toEqual(['a', 'b']);
    await fixture.proveLog(table);
  });
});

describe('a confirmation', () => {
  it('is stale when the structure is another than in the dry run', async () => {
    const table = await newTable([NAME, { name: 'Qty', type: 'integer' }]);
    const column = `/tables/${table.id}/columns/${table.columns.find(({ key }) => key === 'qty')?.id ?? ''}`;
    const row = await add(table, { qty: 1 });
    const seq = await seqOf(table);
    await patch(table, row.id, { qty: 2 });
    const which = await behind(table, seq);
    const changed = await loggedChanges(fixture.app.config.miniDb, table);
    const filter = { field: 'qty', op: 'eq', value: 2 };
    const base = `/bases/${fixture.at.base.id}/revert`;
    const set = await sql<{ set: string }>(fixture.app.config.miniDb, `select change_set as set from "${table.physical.schema}"._change where table_id = $1 and seq = $2`, [table.id, changed.at(-1)?.seq]); // prettier-ignore
    const asked: readonly (readonly [string, object])[] = [
      [`/tables/${table.id}/revert`, which],
      [`/tables/${table.id}/revert`, { changeSet: set[0]?.set }],
      [base, { changeSet: set[0]?.set }],
      [path(table, 'bulk-update'), { filter, set: { qty: 7 }, maxAffected: 10 }],
      [path(table, 'bulk-delete'), { filter, maxAffected: 10 }],
    ];
    const tokens = async () => Promise.all(asked.map(async ([at, body]) => expectStatus(await fixture.owner.post<Told>(at, { ...body, dryRun: true }), 200).confirmToken)); // prettier-ignore
    const confirm = async (given: readonly string[]) => {
      const codes = [];
      for (const [i, [at, body]] of asked.entries()) codes.push(code(await fixture.owner.post(at, { ...body, confirmToken: given[i] }))); // prettier-ignore
      return codes;
    };
    const stale = asked.map(() => '409 confirmation_stale');
    for (const change of [
      () => fixture.owner.patch(column, { required: true }),
      () => fixture.owner.patch(column, { required: false }),
      async () => {
        const to = { to: { type: 'text' } };
        const { confirmToken } = expectStatus(await fixture.owner.post<Told>(`${column}/convert`, { ...to, dryRun: true }), 200); // prettier-ignore
        return fixture.owner.post(`${column}/convert`, { ...to, confirmToken });
      },
    ]) {
      // What is a number is compared as one for as long as it is one.
      const given = await tokens();
      expectStatus(await change(), 200);
      if ((await rowsOf(table)).get(row.id)?.qty === 2) expect(await confirm(given)).toEqual(stale);
      else expect((await confirm(given)).slice(0, 3)).toEqual(stale.slice(0, 3));
    }
    expect(await field(table, row.id, 'qty')).toBe('2');
    const [given = ''] = [await dry(table, which)].map(({ confirmToken }) => confirmToken);
    expectStatus(await fixture.owner.del(column), 204);
    expect(code(await revert(table, { ...which, confirmToken: given }))).toBe('409 confirmation_stale');
    // With a new dry run it says what it leaves out.
    expect(leftOut(await undo(table, which))).toEqual([[row.id, 'qty', 'column_gone']]);
  });
});

describe('reverts of random changes of unique values', () => {
  const SEED = Number(process.env.SEED ?? 4_711);
  const lower = (mail: unknown): unknown => String(mail).toLowerCase();
  const plain = (of: unknown): unknown => of;

  it.each([false, true])(
    `come to what a plain list of rows comes to, required ones: %s (SEED=${SEED})`,
    async (required) => {
      const random = randomOf(SEED + Number(required));
      const table = await newTable([NAME, { ...CODE, required }, { name: 'Mail', type: 'email', unique: true }, { name: 'Qty', type: 'integer' }]); // prettier-ignore
      const index = await addIndex(fixture.owner, table, {
        columns: [{ field: 'name' }, { field: 'qty' }],
        unique: true,
      });
      expect((await settled(fixture.owner, table, index.id)).state).toBe('ready');
      const rules: PlainTable = {
        keys: [{ columns: ['code'], of: plain }, { columns: ['mail'], of: lower }, { columns: ['name', 'qty'], of: plain }], // prettier-ignore
        required: required ? ['code'] : [],
      };
      const codes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const one = (list: readonly unknown[]): unknown => list[below(random, list.length)];
      const some = () =>
        pick<object>(random, [
          { code: one(required ? codes : [...codes, null]) },
          { mail: one(['ada@x.org', 'ADA@x.org', 'bea@x.org', 'Bea@x.org', 'cyd@x.org', 'Cyd@x.org', null]) },
          { name: one(['n', 'm', 'o']), qty: one([1, 2, 3, null]) },
          { name: one(['n', 'm', 'o']) },
        ]);
      const log = () => loggedChanges(fixture.app.config.miniDb, table);
      const seen = { skipped: new Set<string>(), undone: 0 };
      for (let turn = 0; turn < 30; turn++) {
        for (let n = 0; n < 8; n++) {
          const now = await rowsOf(table);
          const trash = [...new Set((await log()).flatMap(({ rowId }) => (rowId && !now.has(rowId) ? [rowId] : [])))];
          const live = [...now.keys()];
          // What is taken is refused; that is no matter of this test.
          if (live.length < 3 || (live.length < 7 && random() < 0.2))
            await fixture.owner.post(path(table), { fields: { ...some(), ...some(), ...(required ? { code: pick(random, codes) } : {}) } }); // prettier-ignore
          else if (trash.length > 0 && random() < 0.15)
            await fixture.owner.post(`${path(table, pick(random, trash))}/restore`, {}); // prettier-ignore
          else if (random() < 0.3) await remove(table, pick(random, live));
          else await fixture.owner.patch(path(table, pick(random, live)), { fields: { ...some(), ...some() } });
        }
        const all = await log();
        const last = all.at(-1)?.seq ?? 0;
        const fromSeq = Math.max(1, last - below(random, 14));
        const toSeq = Math.min(last, fromSeq + below(random, 10));
        const expected = plainRevert(rules, all, fromSeq, toSeq);
        const done = await undo(table, { fromSeq, toSeq });
        expect([
          turn,
          leftOut(done)
            .map((each) => each.join(' '))
            .sort(),
        ]).toEqual([turn, expected.skipped]);
        expect(await rowsOf(table)).toEqual(expected.rows);
        expect(done.conflicts.length).toBe(expected.conflicts);
        seen.undone += done.rows;
        for (const { code: why } of done.skipped) seen.skipped.add(why);
      }
      // Otherwise it would prove nothing.
      expect(seen.undone).toBeGreaterThan(0);
      expect([...seen.skipped]).toContain('value_taken');
      await fixture.proveLog(table);
    },
  );
});
