import { describe, expect, it } from '@jest/globals';
import { expectStatus, member, type ProblemBody, type Row, type Table } from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { path, refusal, rowsFixture, seq } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk, list, proveLog } = fixture;

interface Dry extends ProblemBody {
  readonly matched: number;
  readonly sample: readonly Row[];
  readonly confirmToken: string;
}
interface Done extends ProblemBody {
  readonly matched: number;
  readonly affected: number;
  readonly meta: { readonly epoch: string; readonly seq: number };
}
type Kind = 'bulk-update' | 'bulk-delete';
const ask = (table: Table, kind: Kind, body: object) => fixture.owner.post<Dry & Done>(path(table, kind), body);
const dryRun = async (table: Table, kind: Kind, body: object): Promise<Dry> =>
  expectStatus(await ask(table, kind, { ...body, dryRun: true }), 200);
const confirmed = async (table: Table, kind: Kind, body: object) =>
  ask(table, kind, { ...body, confirmToken: (await dryRun(table, kind, body)).confirmToken });
const fill = async (table: Table, count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1000) {
    const ops = Array.from({ length: Math.min(1000, count - i) }, (_, n) => ({
      op: 'create',
      fields: { name: `n${i + n}`, qty: (i + n) % 10, status: (i + n) % 2 ? 'open' : 'lost' },
    }));
    expectStatus(await bulk(table, ops), 200);
  }
};

const LOST = { field: 'status', op: 'eq', value: 'lost' };

describe('a change by filter', () => {
  it('says first what it would do, then does that, as one change set', async () => {
    const table = await newTable();
    await fill(table, 40);
    const body = { filter: LOST, set: { status: 'won', amount: { $inc: '1.50' } }, maxAffected: 50 };
    const dry = await dryRun(table, 'bulk-update', body);
    expect(dry.matched).toBe(20);
    expect(dry.sample).toHaveLength(10);
    expect(dry.sample[0]).toMatchObject({ version: 1, fields: { status: 'lost', amount: null } });
    expect((await list(table, 'filter=status.eq.won')).data).toEqual([]);
    const answer = await ask(table, 'bulk-update', { ...body, confirmToken: dry.confirmToken });
    expect(expectStatus(answer, 200)).toMatchObject({ matched: 20, affected: 20, meta: { seq: 2 } });
    expect(seq(answer)).toBe(2);
    const { data } = await list(table, 'filter=status.eq.won');
    expect(data.map(({ version, fields }) => [version, fields.amount])).toEqual(Array(20).fill([2, '1.50']));
    await proveLog(table);
  });

  it('goes beyond a thousand rows in numbered portions of one transaction, or not at all', async () => {
    const table = await newTable();
    await fill(table, 2500);
    const body = { filter: null, set: { notes: 'all' }, maxAffected: 5000 };
    const { matched, affected, meta } = expectStatus(await confirmed(table, 'bulk-update', body), 200);
    expect([matched, affected, meta.seq]).toEqual([2500, 2500, 6]);
    const changes = await loggedChanges(fixture.app.config.miniDb, table);
    expect(changes.filter(({ op }) => op === 'update')).toHaveLength(2500);
    // A value that the last row has already fails all of them.
    await add(table, { name: 'last', code: 'taken' });
    expect(refusal(await confirmed(table, 'bulk-update', { ...body, set: { code: 'taken' } }))).toEqual([
      409,
      'unique_violation',
      '/set/code unique_violation',
    ]);
    expect((await list(table, 'filter=code.isNotNull')).data).toHaveLength(1);
    const gone = expectStatus(await confirmed(table, 'bulk-delete', { filter: null, maxAffected: 5000 }), 200);
    expect([gone.matched, gone.affected, gone.meta.seq]).toEqual([2501, 2501, 10]);
    expect((await list(table)).data).toEqual([]);
    await proveLog(table);
  });

  it('counts only the rows that become different', async () => {
    const table = await newTable();
    await fill(table, 10);
    const body = { filter: null, set: { status: 'lost' } };
    expect(expectStatus(await confirmed(table, 'bulk-update', body), 200)).toMatchObject({ matched: 10, affected: 5 });
    const again = expectStatus(await confirmed(table, 'bulk-update', body), 200);
    expect(again).toMatchObject({ matched: 10, affected: 0, meta: { seq: 2 } });
    const nothing = { ...body, filter: { field: 'qty', op: 'eq', value: 77 } };
    expect(expectStatus(await confirmed(table, 'bulk-update', nothing), 200)).toMatchObject({
      matched: 0,
      affected: 0,
      meta: { seq: 2 },
    });
    await proveLog(table);
  });

  it('does not do to other rows, or in another way, what was confirmed', async () => {
    const table = await newTable();
    await fill(table, 10);
    const body = { filter: LOST, set: { notes: 'x' } };
    const { confirmToken } = await dryRun(table, 'bulk-update', body);
    const stale = [409, 'confirmation_stale'];
    for (const other of [
      { ...body, filter: { field: 'status', op: 'eq', value: 'open' } },
      { ...body, filter: null },
      { ...body, set: { notes: 'y' } },
    ])
      expect(refusal(await ask(table, 'bulk-update', { ...other, confirmToken }))).toEqual(stale);
    expect(refusal(await ask(table, 'bulk-delete', { filter: LOST, confirmToken }))).toEqual(stale);
    expect(refusal(await ask(await newTable(), 'bulk-update', { ...body, confirmToken }))).toEqual(stale);
    expect(refusal(await ask(table, 'bulk-update', { ...body, confirmToken: 'AAAA' }))).toEqual(stale);
    expect(refusal(await ask(table, 'bulk-update', body))).toEqual([422, 'confirmation_required']);
    const [row] = (await list(table, 'filter=status.eq.lost&limit=1')).data;
    expectStatus(await fixture.owner.patch(path(table, row?.id ?? ''), { fields: { qty: 77 } }), 200);
    expect(refusal(await ask(table, 'bulk-update', { ...body, confirmToken }))).toEqual(stale);
    const fresh = await dryRun(table, 'bulk-update', body);
    await add(table, { status: 'lost' });
    expect(refusal(await ask(table, 'bulk-update', { ...body, confirmToken: fresh.confirmToken }))).toEqual(stale);
    expect((await list(table, 'filter=notes.isNotNull')).data).toEqual([]);
  });

  it('of linked rows takes their links along', async () => {
    const companies = await newTable([{ name: 'Name', type: 'text' }]);
    const deals = await newTable();
    const link = { name: 'Company', type: 'link', options: { tableId: companies.id, inverseName: 'Deals' } };
    expectStatus(await fixture.owner.post(`/tables/${deals.id}/columns`, link), 201);
    const [acme, globex] = [await add(companies, { name: 'acme' }), await add(companies, { name: 'globex' })];
    for (const qty of [1, 2, 3]) await add(deals, { qty, company: [acme.id] });
    const where = { link: 'company', quantifier: 'some', where: { field: 'name', op: 'eq', value: 'acme' } };
    const moved = await confirmed(deals, 'bulk-update', {
      filter: where,
      set: { company: { $add: [globex.id], $remove: [acme.id] } },
    });
    expect(expectStatus(moved, 200)).toMatchObject({ matched: 3, affected: 3 });
    const shown = async () => (await list(companies)).data.map(({ fields }) => (fields.deals as unknown[]).length);
    expect(await shown()).toEqual([0, 3]);
    expectStatus(await confirmed(deals, 'bulk-delete', { filter: { field: 'qty', op: 'gte', value: 2 } }), 200);
    expect(await shown()).toEqual([0, 1]);
    await proveLog(deals);
    await proveLog(companies);
  });

  it('of many linked rows goes on while others change the rows that they are linked with', async () => {
    const companies = await newTable([{ name: 'Name', type: 'text' }]);
    const deals = await newTable();
    const link = { name: 'Company', type: 'link', options: { tableId: companies.id, inverseName: 'Deals' } };
    expectStatus(await fixture.owner.post(`/tables/${deals.id}/columns`, link), 201);
    const some: Row[] = [];
    for (let i = 0; i < 20; i++) some.push(await add(companies, { name: `c${i}` }));
    await fill(deals, 2200);
    const node = fixture.onEitherNode();
    let ends = false;
    let changes = 0;
    const writer = async (nr: number): Promise<void> => {
      for (let i = nr; !ends; i += 4) {
        const name = { fields: { name: `w${nr}-${i}` } };
        expectStatus(await node(nr).patch(path(companies, some[i % 20]?.id ?? ''), name), 200);
        changes++;
      }
    };
    const writers = [0, 1, 2, 3].map(writer);
    const body = { filter: null, set: { company: some.slice(0, 3).map(({ id }) => id) }, maxAffected: 3000 };
    const answer = await confirmed(deals, 'bulk-update', body);
    ends = true;
    await Promise.all(writers);
    expect(expectStatus(answer, 200)).toMatchObject({ matched: 2200, affected: 2200 });
    expect(changes).toBeGreaterThanOrEqual(4);
    // Of lists as long as theirs the log tells what was added only, so it is not replayed.
    const linked = (await list(companies, 'limit=20')).data.map(({ fields }) => (fields.deals as unknown[]).length);
    expect(linked).toEqual([2200, 2200, 2200, ...Array<number>(17).fill(0)]);
    await proveLog(deals);
  }, 60_000);

  it.each<[Kind, object, string]>([
    ['bulk-update', { set: { qty: 1 } }, '422 validation_failed /filter required'],
    ['bulk-update', { filter: LOST }, '422 validation_failed /set not_an_object'],
    ['bulk-update', { filter: LOST, set: {} }, '422 validation_failed /set empty'],
    ['bulk-update', { filter: LOST, set: { nope: 1 } }, '422 validation_failed /set/nope unknown_field'],
    ['bulk-update', { filter: LOST, set: { qty: 'x' } }, '422 validation_failed /set/qty not_an_integer'],
    ['bulk-update', { filter: LOST, set: { name: null } }, '422 validation_failed /set/name required'],
    ['bulk-update', { filter: {}, set: { qty: 1 } }, '422 filter_invalid /filter field_missing'],
    ['bulk-update', { filter: { and: [] }, set: { qty: 1 } }, '422 filter_invalid /filter/and empty_group'],
    ['bulk-delete', { filter: LOST, set: { qty: 1 } }, '422 validation_failed /set unknown_property'],
    ['bulk-delete', { filter: LOST, maxAffected: 100_001 }, '422 validation_failed /maxAffected out_of_range'],
    ['bulk-delete', { filter: LOST, maxAffected: 0 }, '422 validation_failed /maxAffected out_of_range'],
    ['bulk-delete', { filter: LOST, dryRun: 'yes' }, '422 validation_failed /dryRun is_boolean'],
    ['bulk-delete', { filter: LOST, dryRun: false }, '422 confirmation_required'],
    ['bulk-delete', { filter: null, maxAffected: 3 }, '422 limit_reached'],
  ])('%s refuses %j', async (kind, body, expected) => {
    const table = await newTable();
    await fill(table, 4);
    for (const tried of [body, { dryRun: true, ...body }]) {
      const answer = await ask(table, kind, tried);
      if (tried === body && expected.endsWith('limit_reached')) continue;
      expect(refusal(answer).join(' ')).toBe(expected);
    }
    expect((await list(table, 'count=exact')).count?.value).toBe(4);
  });

  it('is not for viewers', async () => {
    const viewer = await member(fixture.at, 'viewer');
    const answer = await viewer.post(path(fixture.at.table, 'bulk-delete'), { filter: null, dryRun: true });
    expect(refusal(answer)).toEqual([403, 'role_too_low']);
  });
});
