import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, type Answer, type Column, type Row, type Table } from '../harness/index.js';
import { path, rowsFixture, type Page } from '../support/rows.js';
import { code, member, putRules, type MemberOf } from '../support/rules.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

interface Imported {
  readonly id: string;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly column?: string; readonly code: string }[];
}

const COLUMNS = [
  { name: 'Name', type: 'text', required: true, unique: true },
  { name: 'Qty', type: 'integer' },
  { name: 'Region', type: 'text' },
  { name: 'Notes', type: 'text', default: 'by default' },
  { name: 'Price', type: 'decimal' },
];
/** Sees and changes rows of the north, must make such, sees no notes, and must not write prices. */
const NORTH = { field: 'region', op: 'eq', value: 'north' };
const RULE = {
  name: 'north',
  read: { filter: NORTH },
  update: { filter: { field: 'qty', op: 'lt', value: 100 } },
  create: { allow: true, check: NORTH },
  columns: { hidden: ['notes'], readOnly: ['price'] },
};

let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

const ruled = async (): Promise<Table> => {
  const table = await newTable(COLUMNS);
  await putRules(fixture.owner, table, RULE);
  return table;
};
const send = (table: Table, query: string, body: string, who = editor, type = 'text/csv') =>
  who.call<Imported>('POST', `/tables/${table.id}/import?${query}`, body, { 'content-type': type });
/** What the rows hold besides their names, by these. */
const all = async (table: Table): Promise<Readonly<Record<string, Row['fields']>>> =>
  Object.fromEntries(
    expectStatus(await fixture.owner.get<Page>(path(table)), 200).data.map(
      ({ fields: { name, ...rest } }): [string, Row['fields']] => [String(name), rest],
    ),
  );
const flaws = ({ body }: Answer<Imported>) =>
  body.errors.map(({ line, column, code: what }) => [line, column ?? '', what]);

describe('an import by somebody whom rules concern', () => {
  it('makes the rows that he may make, with defaults of what he does not see', async () => {
    const table = await ruled();
    const imported = expectStatus(await send(table, 'onError=abort', 'name,qty,region\na,1,north\nb,2,north\n'), 200);
    expect(imported).toMatchObject({ created: 2, failed: 0 });
    expect(await all(table)).toEqual({
      a: { qty: 1, region: 'north', notes: 'by default', price: null },
      b: { qty: 2, region: 'north', notes: 'by default', price: null },
    });
  });

  it('is refused with the lines of rows that he must not make, and nothing is written', async () => {
    const table = await ruled();
    const answer = await send(table, 'onError=abort', 'name,region\na,north\nb,south\nc,\nd,north\n');
    expect(code(answer)).toBe('422 import_failed');
    expect(flaws(answer).map(([line, , what]) => [line, what])).toEqual([
      [3, 'ruled_out'],
      [4, 'ruled_out'],
    ]);
    expect(await all(table)).toEqual({});
  });

  it('skips such lines where that is asked, in a file of many portions too, and says the same in a trial', async () => {
    const table = await ruled();
    const lines = Array.from({ length: 2_500 }, (_, i) => `n${i},${i % 500 === 7 ? 'south' : 'north'}`);
    const file = `name,region\n${lines.join('\n')}\n`;
    const trial = expectStatus(await send(table, 'onError=skip&dryRun=true', file), 200);
    expect(trial).toMatchObject({ created: 2_495, failed: 5 });
    expect(await all(table)).toEqual({});
    const answer = await send(table, 'onError=skip', file);
    expect(expectStatus(answer, 200)).toMatchObject({ created: 2_495, failed: 5 });
    expect(flaws(answer)).toEqual([7, 507, 1007, 1507, 2007].map((i) => [i + 2, '', 'ruled_out']));
    const { count } = expectStatus(await fixture.owner.get<Page>(`${path(table)}?count=exact&limit=1`), 200);
    expect(count?.value).toBe(2_495);
  });

  it('knows no column that he does not see, and writes none that he must not write', async () => {
    const table = await ruled();
    for (const [header, what] of [
      ['notes', 'unknown_field'],
      ['price', 'read_only'],
    ] as const) {
      const csv = await send(table, '', `name,region,${header}\na,north,1\n`);
      expect([code(csv), ...flaws(csv)]).toEqual(['422 import_failed', [1, header, what]]);
      const line = JSON.stringify({ name: 'a', region: 'north', [header]: '1' });
      const ndjson = await send(table, '', `${line}\n`, editor, 'application/x-ndjson');
      expect([code(ndjson), ...flaws(ndjson)]).toEqual(['422 import_failed', [1, header, what]]);
    }
    expect(await all(table)).toEqual({});
  });

  it('changes by upsert only rows that he sees and may change, into such as he may', async () => {
    const table = await ruled();
    for (const [name, qty, region] of [
      ['mine', 1, 'north'],
      ['large', 500, 'north'],
      ['theirs', 1, 'south'],
    ] as const)
      await add(table, { name, qty, region });
    const before = await all(table);
    const file = 'name,qty,region\nmine,2,north\nlarge,3,north\ntheirs,4,north\nnew,5,north\n';
    for (const onError of ['abort', 'skip']) {
      const answer = await send(table, `mode=upsert&matchOn=name&onError=${onError}`, file);
      expect(flaws(answer).map(([line, , what]) => [line, what])).toEqual([
        [3, 'ruled_out'],
        [4, 'unique_violation'],
      ]);
      expect(JSON.stringify(answer.body)).not.toContain('south');
      if (onError === 'abort') expect(await all(table)).toEqual(before);
      else expect(answer.body).toMatchObject({ created: 1, updated: 1, failed: 2 });
    }
    const after = await all(table);
    expect(after.mine).toMatchObject({ qty: 2 });
    expect([after.large, after.theirs]).toEqual([before.large, before.theirs]);
    const grown = await send(table, 'mode=upsert&matchOn=name&onError=skip', 'name,qty\nmine,100\n');
    expect(flaws(grown)).toEqual([[2, '', 'ruled_out']]);
    expect((await all(table)).mine).toMatchObject({ qty: 2 });
  });

  it('tells nothing of a hidden column by a value that is taken', async () => {
    const table = await newTable([...COLUMNS, { name: 'Badge', type: 'text', unique: true, default: 'the only one' }]);
    await add(table, { name: 'first', region: 'north' });
    await putRules(fixture.owner, table, { ...RULE, columns: { hidden: ['badge'] } });
    for (const onError of ['abort', 'skip']) {
      const answer = await send(table, `onError=${onError}`, 'name,region\nsecond,north\n');
      expect(answer.body.errors).toMatchObject([{ line: 2, code: 'unique_violation' }]);
      expect(JSON.stringify(answer.body).toLowerCase()).not.toContain('badge');
    }
  });

  it('links only rows that he sees, and replaces no list that may hold others', async () => {
    const { owner } = fixture;
    const [table, target] = [await newTable([{ name: 'Name', type: 'text', unique: true }]), await ruled()];
    const options = { tableId: target.id };
    const { key } = expectStatus(
      await owner.post<Column>(`/tables/${table.id}/columns`, { name: 'Parts', type: 'link', options }),
      201,
    );
    const [seen, hidden] = [
      await add(target, { name: 'seen', region: 'north', qty: 1 }),
      await add(target, { name: 'hidden', region: 'south' }),
    ];
    const lines = [{ name: 'a', [key]: [seen.id] }, { name: 'b', [key]: [seen.id, hidden.id] }]; // prettier-ignore
    const file = lines.map((line) => JSON.stringify(line)).join('\n');
    const answer = await send(table, 'onError=skip', file, editor, 'application/x-ndjson');
    expect(answer.body).toMatchObject({ created: 1, failed: 1 });
    expect(answer.body.errors).toMatchObject([{ line: 2 }]);
    const again = await send(table, 'mode=upsert&matchOn=name', `name,${key}\na,"[]"\n`);
    expect(flaws(again)).toEqual([[2, key, 'partly_seen']]);
    expect((await all(table)).a).toEqual({ [key]: [seen.id] });
  });

  it('is shown to himself, and those of others are not', async () => {
    const table = await ruled();
    const own = expectStatus(await send(table, '', 'name,region\na,north\n'), 200).id;
    const other = expectStatus(await send(table, '', 'name,region\nb,south\n', fixture.owner as MemberOf), 200).id;
    const listed = expectStatus(
      await editor.get<{ data: readonly { id: string }[] }>(`/tables/${table.id}/imports`),
      200,
    );
    expect(listed.data.map(({ id }) => id)).toEqual([own]);
    expectStatus(await editor.get(`/imports/${own}`), 200);
    expect(code(await editor.get(`/imports/${other}`))).toBe('403 ruled_out');
  });

  it('ends when it goes on in the background under rules that came meanwhile', async () => {
    const table = await newTable(COLUMNS);
    const answer = await editor.call<{ id: string }>('POST', `/tables/${table.id}/import`, 'name,region\na,south\n', {
      ...{ 'content-type': 'text/csv', prefer: 'respond-async' },
    });
    const { id } = expectStatus(answer, 202);
    await putRules(fixture.owner, table, RULE);
    const state = async () => expectStatus(await editor.get<{ state: string }>(`/imports/${id}`), 200).state;
    while ((await state()) === 'running') await new Promise((resolve) => setTimeout(resolve, 50));
    // Before or behind the rules: all of it, or nothing.
    const rows = await all(table);
    expect(await state()).toBe(Object.keys(rows).length === 1 ? 'done' : 'failed');
  });
});
