import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, type Column, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Bulk } from '../support/rows.js';
import { code, dealsIn, member, OPEN, putRules, seesOpen, type MemberOf } from '../support/rules.js';

/*
 * A link is a cell of both rows: giving a row a link changes the row at the other end, so the rules for changing that one are asked, too.
 */

const fixture = rowsFixture();
const { newTable, add } = fixture;

let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

/** Of the other table all rows are seen, and those that are open may be changed. */
const changesOpen = { name: 'open', update: { filter: OPEN } };

/** People with links to deals: any, some that are nobody else's, and the best one. r0 and r2 are open, r1 and r3 are won. */
async function peopleAndDeals() {
  const { owner } = fixture;
  const { table: deals, rows } = await dealsIn(fixture);
  const people = await newTable([{ name: 'Name', type: 'text', unique: true }]);
  const link = async (from: Table, name: string, to: Table, more: object) => {
    const body = { name, type: 'link', options: { tableId: to.id, ...more } };
    expectStatus(await owner.post<Column>(`/tables/${from.id}/columns`, body), 201);
  };
  await link(people, 'Deals', deals, { inverseName: 'People' });
  await link(deals, 'Head', people, { multiple: false, inverseName: 'Main' });
  await link(people, 'Best', deals, { multiple: false, inverseName: 'Fans' });
  const [r0, r1, r2, r3] = rows.map(({ id }) => id) as [string, string, string, string];
  const ada = await add(people, { name: 'Ada', deals: [r0, r1], main: [r1], best: [r1] });
  const patch = (fields: object, row = ada) => editor.patch<Row>(path(people, row.id), { fields });
  const create = (fields: object) => editor.post<Row>(path(people), { fields });
  const values = async ({ id }: Row) =>
    expectStatus(await owner.get<Row>(path(people, id)), 200).fields as Record<string, unknown>;
  return { people, deals, ada, r0, r1, r2, r3, patch, create, values };
}
type Setting = Awaited<ReturnType<typeof peopleAndDeals>>;

describe('a link to a row that must not be changed', () => {
  it('is not made, nor taken away, by a write of one row', async () => {
    const { people, deals, ada, r0, r1, r2, r3, patch, create, values } = await peopleAndDeals();
    await putRules(fixture.owner, deals, changesOpen);
    expect(code(await create({ name: 'new', deals: [r0, r3] }))).toBe('403 ruled_out');
    expect(code(await patch({ deals: [r0, r1, r3] }))).toBe('403 ruled_out');
    expect(code(await patch({ deals: { $add: [r3] } }))).toBe('403 ruled_out');
    expect(code(await patch({ deals: [r0] }))).toBe('403 ruled_out');
    expect(code(await patch({ deals: { $remove: [r1] } }))).toBe('403 ruled_out');
    expect(code(await patch({ main: [r0] }))).toBe('403 ruled_out');
    expect(code(await patch({ main: [] }))).toBe('403 ruled_out');
    expect(code(await patch({ best: [r0] }))).toBe('403 ruled_out');
    expect(await values(ada)).toEqual({ name: 'Ada', deals: [r0, r1], main: [r1], best: [r1] });
    // What stays where it is concerns nobody, and neither does another order.
    expectStatus(await patch({ name: 'Bea', deals: [r2, r1] }), 200);
    expectStatus(await patch({ deals: { $add: [r0], $remove: [r2] } }), 200);
    expectStatus(await create({ name: 'new', deals: [r0], main: [r2] }), 201);
    expect(await values(ada)).toMatchObject({ name: 'Bea', deals: [r1, r0], main: [r1] });
    await fixture.proveLog(people);
  });

  it('is judged as it was and as it becomes, where the rule itself asks for the link', async () => {
    const { owner } = fixture;
    const { deals, people, ada, r0, r1, r2, patch, values } = await peopleAndDeals();
    const bea = await add(people, { name: 'Bea', deals: [r2] });
    const where = { field: 'name', op: 'eq', value: 'Ada' };
    const ofAda = { name: 'of Ada', update: { filter: { link: 'people', quantifier: 'some', where } } };
    await putRules(owner, deals, ofAda);
    // It was not hers, and making it hers does not make it so.
    expect(code(await patch({ deals: { $add: [r2] } }))).toBe('403 ruled_out');
    // It would be hers no more.
    expect(code(await patch({ deals: { $remove: [r0] } }))).toBe('403 ruled_out');
    expectStatus(await patch({ deals: { $add: [r0, r1] } }, bea), 200);
    expect(await values(bea)).toMatchObject({ deals: [r2, r0, r1] });
    expect(await values(ada)).toMatchObject({ deals: [r0, r1] });
  });

  it('is not made by calls of many rows, upserts, filters, files and their dry runs', async () => {
    const { people, deals, ada, r0, r1, r2, r3, values } = await peopleAndDeals();
    await putRules(fixture.owner, deals, changesOpen);
    const ops = [
      { op: 'create', fields: { name: 'one', deals: [r0] } },
      { op: 'create', fields: { name: 'two', deals: [r3] } },
      { op: 'update', id: ada.id, fields: { deals: { $add: [r2] } } },
      { op: 'update', id: ada.id, fields: { deals: { $remove: [r1] } } },
      { op: 'upsert', matchOn: ['name'], fields: { name: 'Ada', deals: [r0] } },
      { op: 'upsert', matchOn: ['name'], fields: { name: 'three', deals: [r3] } },
      { op: 'upsert', matchOn: ['name'], fields: { name: 'four', deals: [r2] } },
    ];
    const bulk = (mode: string, list: readonly object[]) =>
      editor.post<Bulk>(path(people, 'bulk'), { mode, ops: list });
    expect(refusal(await bulk('atomic', ops.slice(0, 2)))).toEqual([422, 'bulk_failed', '/ops/1 ruled_out']);
    // One row twice in a call is another refusal.
    const partial = await bulk('partial', [...ops.slice(0, 3), ...ops.slice(5)]);
    expect(expectStatus(partial, 200).results.map(({ status }) => status)).toEqual([201, 403, 200, 403, 201]);
    for (const op of ops.slice(3, 5))
      expect(expectStatus(await bulk('partial', [op]), 200).results.map(({ status }) => status)).toEqual([403]);
    expect(await values(ada)).toMatchObject({ deals: [r0, r1, r2] });

    const at = path(people, 'bulk-update');
    const by = async (set: object) => {
      const asked = { filter: { field: 'name', op: 'eq', value: 'Ada' }, set };
      const dry = await editor.post<{ confirmToken: string }>(at, { ...asked, dryRun: true });
      return editor.post(at, { ...asked, confirmToken: expectStatus(dry, 200).confirmToken });
    };
    expect(code(await by({ deals: { $add: [r3] } }))).toBe('403 ruled_out');
    expect(code(await by({ deals: { $remove: [r1] } }))).toBe('403 ruled_out');
    expectStatus(await by({ deals: { $remove: [r2] } }), 200);

    const send = (query: string, body: string) =>
      editor.call<Imported>('POST', `/tables/${people.id}/import?${query}`, body, {
        'content-type': 'application/x-ndjson',
      });
    const lines = [
      { name: 'file one', deals: [r0] },
      { name: 'file two', deals: [r3] },
    ];
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const skipping = expectStatus(await send('onError=skip', body), 200);
    expect(skipping).toMatchObject({ created: 1, failed: 1 });
    expect(skipping.errors.map(({ line, code: what }) => [line, what])).toEqual([[2, 'ruled_out']]);
    const upsert = await send('mode=upsert&matchOn=name', `${JSON.stringify({ name: 'Ada', deals: [r0] })}\n`);
    expect(upsert.status).toBe(422);
    expect(upsert.text).toContain('ruled_out');
    expect(await values(ada)).toMatchObject({ deals: [r0, r1] });
    await fixture.proveLog(people);
  });

  it('is not made by going back, neither of a row nor of an act', async () => {
    const { people, deals, ada, r0, r1, patch, values }: Setting = await peopleAndDeals();
    const { owner } = fixture;
    expectStatus(await patch({ deals: [r0] }), 200);
    await putRules(owner, deals, changesOpen);
    expect(code(await editor.post(`${path(people, ada.id)}/revert`, { toVersion: 1 }))).toBe('403 ruled_out');
    expect(code(await editor.post(`/tables/${people.id}/undo`, {}))).toBe('403 ruled_out');
    await putRules(owner, deals);
    expectStatus(await editor.post(`/tables/${people.id}/undo`, {}), 200);
    expect(await values(ada)).toMatchObject({ deals: [r0, r1] });
    await putRules(owner, deals, changesOpen);
    expect(code(await editor.post(`/tables/${people.id}/redo`, {}))).toBe('403 ruled_out');
    expect(await values(ada)).toMatchObject({ deals: [r0, r1] });
  });

  it('goes with a row that is deleted, and comes back with it', async () => {
    const { people, deals, ada, r0, r1, values } = await peopleAndDeals();
    await putRules(fixture.owner, deals, changesOpen);
    expectStatus(await editor.del(path(people, ada.id)), 204);
    expectStatus(await editor.post(`${path(people, ada.id)}/restore`), 200);
    expect(await values(ada)).toMatchObject({ deals: [r0, r1], main: [r1] });
    await fixture.proveLog(people);
  });
});

describe('a link that another row has', () => {
  it('is not taken from a row that must not be changed, or is not seen', async () => {
    const { people, ada, r0, r1, values } = await peopleAndDeals();
    const { owner } = fixture;
    const [bea, eve] = [await add(people, { name: 'Bea', main: [r0] }), await add(people, { name: 'Eve' })];
    const notBea = { not: { field: 'name', op: 'eq', value: 'Bea' } };
    const take = (id: string) => editor.patch<Row>(path(people, eve.id), { fields: { main: [id] } });
    for (const rule of [{ update: { filter: notBea } }, { read: { filter: notBea } }]) {
      await putRules(owner, people, { name: 'not Bea', ...rule });
      const refused = await take(r0);
      expect(code(refused)).toBe('403 ruled_out');
      expect(refused.text).not.toContain(bea.id);
    }
    expectStatus(await take(r1), 200);
    expect([await values(bea), await values(ada), await values(eve)]).toMatchObject([
      { main: [r0] },
      { main: [] },
      { main: [r1] },
    ]);
    await fixture.proveLog(people);
  });
});

describe('a link to a row that is not seen', () => {
  it('is there no more than one to a row that there is not, whether it is made or taken away', async () => {
    const { deals, ada, r0, r1, r2, r3, patch, values } = await peopleAndDeals();
    await putRules(fixture.owner, deals, seesOpen);
    const nobody = '01900000-0000-7000-8000-000000000000';
    // r1 is linked and not seen, r3 is not linked and not seen.
    for (const id of [r1, r3, nobody])
      for (const change of [{ $add: [id] }, { $remove: [id] }, { $add: [r2], $remove: [id] }]) {
        const refused = await patch({ deals: change });
        expect([change, refusal(refused)]).toEqual([change, [422, 'validation_failed', '/fields/deals row_not_found']]);
      }
    expectStatus(await patch({ deals: { $add: [r2], $remove: [r0] } }), 200);
    expect(await values(ada)).toMatchObject({ deals: [r1, r2] });
    // A cell that seems to be empty holds what somebody else put there.
    expect(code(await patch({ best: [r0] }))).toBe('403 ruled_out');
    expect(await values(ada)).toMatchObject({ best: [r1] });
  });
});

interface Imported {
  readonly created: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly code: string }[];
}
