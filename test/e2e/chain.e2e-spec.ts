import { beforeAll, describe, expect, it } from '@jest/globals';
import { MiniDbUpkeep } from '../../src/engines/index.js';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { forgeries } from '../support/forgeries.js';
import { path, refusal } from '../support/rows.js';

interface Verdict {
  readonly ok: boolean;
  readonly checked: number;
  readonly from: number;
  readonly to: number;
  readonly brokenAt: number | null;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly checkpoint?: string;
}
interface Checkpoint {
  readonly seq: number;
  readonly hash: string;
  readonly token: string;
}

let app: TestApp;
let at: World;
let people: Table;
beforeAll(async () => {
  app = await startApp({ databases: await databases() });
  at = await world(app.base);
  const columns = [{ name: 'Name', type: 'text' }];
  people = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: 'People', columns }), 201);
}, 60_000);

const mini = <T extends object>(text: string, values: unknown[] = []) =>
  sql<T>(app.config.miniDb, text.replaceAll('@', `"${at.table.physical.schema}"`), values);
const verify = async (table: Table = at.table, query = ''): Promise<Verdict> =>
  expectStatus(await at.owner.get<Verdict>(`/tables/${table.id}/history/verify${query}`), 200);
const checkpoint = async (): Promise<Checkpoint> =>
  expectStatus(await at.owner.get<Checkpoint>(`/tables/${at.table.id}/history/checkpoint`), 200);
const create = async (fields: object, table: Table = at.table): Promise<Row> =>
  expectStatus(await at.owner.post<Row>(path(table), { fields }), 201);

describe('the hash chain of a change log', () => {
  it('holds over writes of all kinds, side by side, and over changes of the structure', async () => {
    expect(await verify()).toMatchObject({ ok: true, checked: 0, to: 0, brokenAt: null, head: { seq: 0, hash: '' } });
    const made = await Promise.all(Array.from({ length: 40 }, (_, i) => create({ name: `"a\\${i}`, qty: i })));
    const ops = Array.from({ length: 30 }, (_, i) => ({ op: 'create', fields: { name: `bulk ${i}` } }));
    expectStatus(await at.owner.post(path(at.table, 'bulk'), { mode: 'atomic', ops }), 200);
    await Promise.all(
      made.map(async ({ id }, i) =>
        expectStatus(await at.owner.patch(path(at.table, id), { fields: { qty: { $inc: 1 }, name: `b${i}` } }), 200),
      ),
    );
    const first = made[0]?.id ?? '';
    expectStatus(await at.owner.del(path(at.table, first)), 204);
    expectStatus(await at.owner.post(path(at.table, first, 'restore')), 200);
    // Links, with rows that are told once more behind their statement, since a lookup shows what it changed.
    const link = expectStatus(
      await at.owner.post<Column>(`/tables/${at.table.id}/columns`, {
        name: 'Person',
        type: 'link',
        options: { tableId: people.id, multiple: true, inverseName: 'Deals' },
      }),
      201,
    );
    const theirs = expectStatus(await at.owner.get<Table>(`/tables/${people.id}`), 200).columns;
    const inverse = theirs.find(({ key }) => key === 'deals')?.id;
    const name = theirs.find(({ key }) => key === 'name')?.id;
    const lookup = { name: 'Names', type: 'lookup', options: { linkColumnId: link.id, columnId: name } };
    expectStatus(await at.owner.post(`/tables/${at.table.id}/columns`, lookup), 201);
    const own = at.table.columns.find(({ key }) => key === 'name')?.id;
    const back = { name: 'Of', type: 'lookup', options: { linkColumnId: inverse, columnId: own } };
    expectStatus(await at.owner.post(`/tables/${people.id}/columns`, back), 201);
    const stamp = { name: 'Seen at', type: 'updated_at' };
    expectStatus(await at.owner.post(`/tables/${people.id}/columns`, stamp), 201);
    const person = await create({ name: 'Ada', deals: [first] }, people);
    await create({ name: 'linked', person: [person.id] });
    expectStatus(await at.owner.patch(path(at.table, first), { fields: { person: [] } }), 200);
    for (const table of [at.table, people]) {
      const verdict = await verify(table);
      const [{ n, seq } = { n: 0, seq: 0 }] = await mini<{ n: number; seq: number }>(
        'select count(*)::int as n, max(seq)::int as seq from @._change where table_id = $1',
        [table.id],
      );
      expect(verdict).toMatchObject({ ok: true, checked: n, from: 1, to: seq, brokenAt: null });
    }
  });

  const entry = 'table_id = $1 and seq = 7';
  const KEEP = 'create table @._kept as select * from @._change';
  it.each([
    ['a changed value', `update @._change set after = '{"name":"forged"}' where ${entry}`, 7],
    ['a changed author', `update @._change set actor_name = 'Eve' where ${entry}`, 7],
    ['a changed time', `update @._change set at = at + interval '1 millisecond' where ${entry}`, 7],
    ['a changed link', `update @._change set hash = sha256(hash) where ${entry}`, 7],
    ['an entry that was taken out', `delete from @._change where ${entry}`, 7],
    ['an entry that was given to another table', `update @._change set table_id = gen_random_uuid() where ${entry}`, 7],
    [
      'an entry that was put in',
      `insert into @._change select table_id, seq, 99, gen_random_uuid(), 1, op, before, after, at, actor_id, actor_name, client_id, source, request_id, change_set, revert_of, schema_version from @._change where ${entry}`,
      7,
    ],
    [
      'one that was put in at the end',
      `insert into @._change select table_id, 100000, 0, gen_random_uuid(), 1, op, before, after, at, actor_id, actor_name, client_id, source, request_id, change_set, revert_of, schema_version from @._change where ${entry}`,
      100_000,
    ],
    [
      'the newest, taken out',
      'delete from @._change where table_id = $1 and seq = (select seq from @._stream where table_id = $1)',
      undefined,
    ],
  ])('names %s', async (_, forgery, brokenAt) => {
    await mini(KEEP);
    const { to } = await verify();
    await mini(forgery, [at.table.id]);
    const found = await verify();
    await mini('delete from @._change');
    await mini('insert into @._change select * from @._kept');
    await mini('drop table @._kept');
    expect(found).toMatchObject({ ok: false, brokenAt: brokenAt ?? to });
    expect((await verify()).ok).toBe(true);
  });

  it('names an entry in any column of which stands something else', async () => {
    const found: unknown[] = [];
    // What the kind of a change may be is checked by the database itself.
    for (const forgery of await forgeries(app.config.miniDb, [at.table.physical.schema, '_change'], ['op'])) {
      await mini(KEEP);
      await mini(`update @._change set ${forgery} where ${entry} and ord = 0`, [at.table.id]);
      const { ok, brokenAt } = await verify();
      await mini('delete from @._change');
      await mini('insert into @._change select * from @._kept');
      await mini('drop table @._kept');
      found.push([forgery, ok, brokenAt]);
    }
    expect(found.length).toBeGreaterThan(15);
    expect(found).toEqual(found.map((each) => [(each as [string])[0], false, 7]));
    expect((await verify()).ok).toBe(true);
  });

  it('says so where the place of the table among the streams was taken away', async () => {
    const kept = await checkpoint();
    await mini('create table @._places as select * from @._stream');
    await mini('update @._stream set table_id = gen_random_uuid() where table_id = $1', [at.table.id]);
    const found = [await verify(), await verify(at.table, `?checkpoint=${kept.token}`)];
    const refused = await at.owner.get(`/tables/${at.table.id}/history/checkpoint`);
    await mini('delete from @._stream');
    await mini('insert into @._stream select * from @._places');
    await mini('drop table @._places');
    expect(found).toMatchObject([
      { ok: false, brokenAt: 1 },
      { ok: false, brokenAt: 1, checkpoint: 'differs' },
    ]);
    expect(refused.status).toBe(404);
    expect((await verify()).ok).toBe(true);
  });

  it('that lost its newest, with all that tells of them, is told from the one that a checkpoint was signed of', async () => {
    await create({ name: 'to be lost' });
    const kept = await checkpoint();
    const newest = 'table_id = $1 and seq = (select seq from @._stream where table_id = $1)';
    for (const kind of ['_stream', '_change']) await mini(`create table @._kept${kind} as select * from @.${kind}`);
    await mini(`delete from @._change where ${newest}`, [at.table.id]);
    await mini(
      `update @._stream s set seq = c.seq, head = c.hash from @._change c where s.table_id = $1 and c.table_id = $1 and c.seq = s.seq - 1 and c.hash is not null`,
      [at.table.id],
    );
    const found = [await verify(), await verify(at.table, `?checkpoint=${kept.token}`)];
    for (const kind of ['_stream', '_change']) {
      await mini(`delete from @.${kind}`);
      await mini(`insert into @.${kind} select * from @._kept${kind}`);
      await mini(`drop table @._kept${kind}`);
    }
    expect(found).toMatchObject([
      { ok: true, to: kept.seq - 1 },
      { ok: false, brokenAt: kept.seq, checkpoint: 'differs' },
    ]);
    expect((await verify()).ok).toBe(true);
  });

  it('that was made anew as a whole is told from the one that a checkpoint was signed of', async () => {
    const kept = await checkpoint();
    await create({ name: 'later' });
    const query = `?checkpoint=${kept.token}`;
    expect(await verify(at.table, query)).toMatchObject({ ok: true, checkpoint: 'matches' });
    // Whoever can write the whole database can also say that the chain begins later.
    await mini(KEEP);
    await mini(`update @._change set hash = null, actor_name = 'Eve' where table_id = $1`, [at.table.id]);
    await mini('insert into @._anchor select table_id, seq, head, 0 from @._stream where table_id = $1', [at.table.id]);
    expect(await verify()).toMatchObject({ ok: true, checked: 0 });
    expect(await verify(at.table, query)).toMatchObject({ ok: false, brokenAt: kept.seq, checkpoint: 'differs' });
    await mini('delete from @._change');
    await mini('insert into @._change select * from @._kept');
    await mini('delete from @._anchor');
    await mini('drop table @._kept');
    expect(refusal(await at.owner.get(`/tables/${people.id}/history/verify${query}`))).toEqual([
      422,
      'validation_failed',
      '/checkpoint other_table',
    ]);
    const [payload = ''] = kept.token.split('.');
    for (const forged of [`${payload}.AAAA`, payload, 'x', `${payload}x.${kept.token.split('.')[1] ?? ''}`])
      expect(refusal(await at.owner.get(`/tables/${at.table.id}/history/verify?checkpoint=${forged}`))).toEqual([
        422,
        'validation_failed',
        '/checkpoint not_signed_here',
      ]);
  });

  it('still verifies when its beginning is forgotten, and goes on', async () => {
    const before = await verify();
    const old = await checkpoint();
    const upkeep = app.app.get(MiniDbUpkeep);
    const forget = async (seq: number): Promise<void> => {
      const [{ at: time } = { at: new Date() }] = await mini<{ at: Date }>(
        'select at from @._change where table_id = $1 and seq = $2',
        [at.table.id, seq],
      );
      await upkeep.forgetChanges(at.table.physical.schema, at.table.id, time, () => true);
    };
    await forget(20);
    const { from, ...rest } = await verify();
    expect(from).toBeGreaterThan(10);
    expect(rest).toMatchObject({ ok: true, to: before.to, head: before.head });
    await create({ name: 'after it was forgotten' });
    await forget(before.to);
    expect(await verify(at.table, `?checkpoint=${old.token}`)).toMatchObject({ ok: true, checkpoint: 'matches' });
    await mini(
      `insert into @._change select table_id, 3, 0, gen_random_uuid(), 1, 'create', null, '{}', at, actor_id, actor_name, client_id, source, request_id, change_set, null, 1 from @._change where table_id = $1 limit 1`,
      [at.table.id],
    );
    expect(await verify()).toMatchObject({ ok: false, brokenAt: 3 });
    await mini('delete from @._change where table_id = $1 and seq = 3', [at.table.id]);
    expect((await verify()).ok).toBe(true);
  });

  it('forgets a number with more changes than are forgotten at once, as a whole', async () => {
    await create({ name: 'before the large one' });
    const { to: large } = await verify();
    // Such as a row that many others were linked to leaves behind when it goes.
    const columns = 'row_id, version, op, before, after, at, actor_id, actor_name, client_id, ip, source, request_id, change_set, revert_of, schema_version'; // prettier-ignore
    await mini(
      `insert into @._change (table_id, seq, ord, ${columns}) select table_id, seq, ord + n, ${columns} from @._change, generate_series(1, 12000) n where table_id = $1 and seq = $2`,
      [at.table.id, large],
    );
    const upkeep = app.app.get(MiniDbUpkeep);
    const forget = () => upkeep.forgetChanges(at.table.physical.schema, at.table.id, new Date(Date.now() + 1_000), () => true); // prettier-ignore
    // The newest number stays, however large it is.
    await forget();
    const kept = () =>
      mini<{ seq: number; n: number }>(
        'select seq::int, count(*)::int as n from @._change where table_id = $1 group by 1 order by 1',
        [at.table.id],
      );
    expect(await kept()).toEqual([{ seq: large, n: 12_001 }]);
    await create({ name: 'after the large one' });
    expect(await forget()).toBe(12_001);
    expect(await kept()).toEqual([{ seq: large + 1, n: 1 }]);
    expect(await verify()).toMatchObject({ ok: true, from: large + 1, to: large + 1 });
  });

  it('begins where it is when the log is older than the chain', async () => {
    const { to } = await verify(people);
    // As the migration leaves it.
    await mini(`update @._change set hash = null where table_id = $1`, [people.id]);
    await mini(`update @._stream set head = '', prior = '' where table_id = $1`, [people.id]);
    await mini(`insert into @._anchor select table_id, seq, '', 0 from @._stream where table_id = $1`, [people.id]);
    await create({ name: 'new' }, people);
    expect(await verify(people)).toMatchObject({ ok: true, checked: 1, from: to + 1, to: to + 1 });
    await mini(`update @._change set after = '{}' where table_id = $1 and seq = $2`, [people.id, to + 1]);
    expect(await verify(people)).toMatchObject({ ok: false, brokenAt: to + 1 });
  });
});
