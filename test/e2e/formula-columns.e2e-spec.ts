import { describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  sql,
  type Answer,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
} from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { path, rowsFixture, type Page } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

const NAME = { name: 'Name', type: 'text' };
const PRICE = { name: 'Unit price', type: 'decimal', options: { scale: 2 } };
const QTY = { name: 'Qty', type: 'integer' };
const formula = (name: string, text: string) => ({ name, type: 'formula', options: { formula: text } });
const columnOf = (table: Table, key: string): Column => {
  const column = table.columns.find((each) => each.key === key);
  if (!column) throw new Error(`no column ${key}`);
  return column;
};
const columns = ({ id }: Table): string => `/tables/${id}/columns`;
const addColumn = async (table: Table, body: object): Promise<Column> =>
  expectStatus(await fixture.owner.post<Column>(columns(table), body), 201);
const edit = (table: Table, key: string, body: object): Promise<Answer<Column & ProblemBody>> =>
  fixture.owner.patch<Column & ProblemBody>(`${columns(table)}/${columnOf(table, key).id}`, body);
const fresh = async ({ id }: Table): Promise<Table> =>
  expectStatus(await fixture.owner.get<Table>(`/tables/${id}`), 200);
const row = async (table: Table, id: string): Promise<Row> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200);
const query = async (table: Table, body: object): Promise<Page['data']> =>
  expectStatus(await fixture.owner.post<Page>(`/tables/${table.id}/rows/query`, body), 200).data;
const refusal = ({ status, body }: Answer<ProblemBody>): unknown => [
  status,
  body.code,
  ...(body.errors ?? []).map(({ pointer, code }) => [pointer, code]),
];

/** Things with a price and a quantity, and what both come to. */
const things = (...more: readonly object[]): Promise<Table> =>
  newTable([NAME, formula('Total', '{Unit price} * {qty}'), PRICE, QTY, ...more]);

describe('a formula column', () => {
  it('that is the same for every row can be sorted, grouped and filtered by, too', async () => {
    const table = await newTable([
      NAME,
      formula('Yes', 'TRUE'),
      formula('No', '1 > 2'),
      formula('Five', '5'),
      formula('Word', '"w"'),
    ]);
    const shown = { yes: true, no: false, five: 5, word: 'w' };
    for (const name of ['a', 'b']) await add(table, { name });
    for (const [key, value] of Object.entries(shown)) {
      const sorted = await query(table, {
        sort: [{ field: key, dir: 'desc' }, { field: 'name' }],
        filter: { field: key, op: 'eq', value },
      });
      expect(sorted.map(({ fields }) => fields)).toEqual(['a', 'b'].map((name) => ({ name, ...shown })));
      const groups = await query(table, { groupBy: [{ field: key }], aggregates: [{ as: 'n', fn: 'count' }] });
      expect(groups).toEqual([{ group: { [key]: value }, values: { n: 2 } }]);
    }
  });

  it.each(['asc', 'desc'] as const)('that asks for the time is the same on all pages of a list, %s', async (dir) => {
    const table = await newTable([NAME, QTY, formula('Due', 'DATEADD(NOW(), {qty}, "second")')]);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const [qty, name] of names.entries()) await add(table, { name, qty });
    const view = expectStatus(
      await fixture.owner.post<{ id: string }>(`/workspaces/${fixture.at.workspace.id}/views`, {
        name: `Due ${dir}`,
        definition: { source: { table: table.id } },
      }),
      201,
    );
    const groups = { groupBy: [{ field: 'due' }], aggregates: [{ as: 'name', fn: 'max', field: 'name' }] };
    const asks = [`/tables/${table.id}/rows/query`, `/views/${view.id}/data`];
    for (const [asked, more] of asks.flatMap((path) => [[path, {}] as const, [path, groups] as const])) {
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const answer = await fixture.owner.post<Page>(asked, {
          ...more,
          sort: [{ field: 'due', dir }],
          page: { limit: 1, ...(cursor === undefined ? {} : { cursor }) },
        });
        const { data, page } = expectStatus(answer, 200);
        seen.push(
          ...(data as readonly (Partial<Row> & { readonly values?: Row['fields'] })[]).map(
            ({ fields, values }) => (fields ?? values)?.name,
          ),
        );
        cursor = page.nextCursor;
        await new Promise((resolve) => setTimeout(resolve, 5));
      } while (cursor !== undefined && seen.length < 20);
      expect(seen).toEqual(dir === 'asc' ? names : [...names].reverse());
    }
  });

  it('holds what its formula makes of the row, in answers, lists, filters, sorts and groups', async () => {
    const table = await things(formula('Rank', 'IF({total} >= 10, "big", "small")'));
    expect(table.columns.map(({ key }) => key)).toEqual(['name', 'total', 'unit_price', 'qty', 'rank']);
    expect(columnOf(table, 'total')).toMatchObject({
      type: 'formula',
      options: { formula: '{unit_price} * {qty}' },
      required: false,
      unique: false,
      default: null,
    });
    const [a, b, c] = [
      await add(table, { name: 'a', unit_price: '2.50', qty: 4 }),
      await add(table, { name: 'b', unit_price: '1.25', qty: 3 }),
      await add(table, { name: 'c', unit_price: '1', qty: null }),
    ];
    expect([a, b, c].map(({ fields }) => [fields.total, fields.rank])).toEqual([
      ['10.00', 'big'],
      ['3.75', 'small'],
      [null, 'small'],
    ]);
    for (const each of [a, b, c]) expect(await row(table, each.id)).toEqual(each);
    const names = async (body: object): Promise<unknown> => (await query(table, body)).map(({ fields }) => fields.name);
    expect(await names({ filter: { field: 'total', op: 'gt', value: '3.75' } })).toEqual(['a']);
    expect(await names({ filter: { field: 'rank', op: 'contains', value: 'SMALL' } })).toEqual(['b', 'c']);
    expect(await names({ sort: [{ field: 'total', dir: 'desc' }] })).toEqual(['a', 'b', 'c']);
    const groups = await query(table, {
      groupBy: [{ field: 'rank' }],
      aggregates: [{ as: 'sum', fn: 'sum', field: 'total' }],
    });
    expect(groups).toEqual([
      { group: { rank: 'big' }, values: { sum: '10.00' } },
      { group: { rank: 'small' }, values: { sum: '3.75' } },
    ]);
    const pages: unknown[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const more = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page = expectStatus(
        await fixture.owner.get<Page>(`/tables/${table.id}/rows?sort=-total&limit=1${more}`),
        200,
      );
      pages.push(...page.data.map(({ fields }) => fields.name));
      cursor = page.page.nextCursor;
    }
    expect(pages).toEqual(['a', 'b', 'c']);
  });

  it('is null where it cannot be computed, and other formulas see it so', async () => {
    const table = await newTable([NAME, QTY, formula('Share', '1 / {qty}'), formula('Safe', 'IFERROR(1 / {qty}, -1)')]);
    const zero = await add(table, { qty: 0 });
    expect(zero.fields).toMatchObject({ qty: 0, share: null, safe: '-1' });
    expect((await add(table, { qty: 4 })).fields).toMatchObject({ qty: 4, share: '0.25', safe: '0.25' });
  });

  it('goes with a column that is renamed, whatever name it was called by', async () => {
    const table = await things();
    expectStatus(await edit(table, 'unit_price', { name: 'Cost' }), 200);
    await addColumn(table, { ...PRICE, name: 'Unit price' });
    const made = await add(table, { unit_price: '2', qty: 3, unit_price_2: '100' });
    expect(made.fields.total).toBe('6.00');
    expect(columnOf(await fresh(table), 'total').options).toEqual({ formula: '{unit_price} * {qty}' });
  });

  it('may have the name that is the key of a column it reads', async () => {
    const table = await newTable([PRICE]);
    expectStatus(await edit(table, 'unit_price', { name: 'Cost' }), 200);
    const named = await addColumn(table, formula('unit_price', '{unit_price} * 2'));
    expect([named.key, named.options]).toEqual(['unit_price_2', { formula: '{unit_price} * 2' }]);
    const made = await fixture.owner.post<Row>(path(table), { fields: { unit_price: '2' } });
    expect(expectStatus(made, 201).fields).toEqual({ unit_price: '2.00', unit_price_2: '4.00' });
    const { tables } = expectStatus(
      await fixture.owner.get<{ tables: { key: string }[] }>(`/bases/${table.baseId}/template`),
      200,
    );
    const own = tables.filter(({ key }) => key === table.key);
    const template = { format: 'live-tables/template@1', name: 'x', tables: own };
    const body = { name: 'Made of a name', template };
    expectStatus(await fixture.owner.post(`/workspaces/${table.workspaceId}/bases/from-template`, body), 201);
  });

  it('is written by nobody, and can be neither required nor unique, nor have a default', async () => {
    const table = await things();
    const write = await fixture.owner.post<ProblemBody>(`/tables/${table.id}/rows`, { fields: { total: '1' } });
    expect(refusal(write)).toEqual([422, 'validation_failed', ['/fields/total', 'read_only']]);
    for (const demand of [{ required: true }, { unique: true }, { default: '1' }]) {
      const [member] = Object.keys(demand);
      const answer = await fixture.owner.post<ProblemBody>(columns(table), { ...formula('X', '1'), ...demand });
      expect(refusal(answer)).toEqual([422, 'validation_failed', [`/${member}`, 'invalid_option']]);
    }
    const toFormula = await fixture.owner.post<ProblemBody>(`${columns(table)}/${columnOf(table, 'qty').id}/convert`, {
      to: { type: 'formula', options: { formula: '1' } },
      dryRun: true,
    });
    expect(refusal(toFormula)).toEqual([422, 'validation_failed', ['/to/type', 'not_convertible']]);
  });

  it('is refused with the place of what is wrong with it', async () => {
    const table = await things();
    const post = async (text: unknown): Promise<unknown> => {
      const answer = await fixture.owner.post<ProblemBody>(columns(table), {
        name: 'X',
        type: 'formula',
        options: { formula: text },
      });
      const [first] = (answer.body.errors ?? []) as unknown as { code: string; position?: number; length?: number }[];
      return [answer.status, answer.body.code, first?.code, first?.position, first?.length];
    };
    expect(await post('1 + {name}')).toEqual([422, 'formula_invalid', 'wrong_type', 4, 6]);
    expect(await post('{nmae} & ""')).toEqual([422, 'formula_invalid', 'unknown_column', 0, 6]);
    expect(await post('pg_read_file("/etc/passwd")')).toEqual([422, 'formula_invalid', 'unknown_function', 0, 12]);
    expect(await post('{X} + 1')).toEqual([422, 'formula_invalid', 'circular', 0, 7]);
    expect(await post('')).toEqual([422, 'formula_invalid', 'empty_formula', 0, 0]);
    expect(await post('1'.repeat(9_000))).toEqual([422, 'formula_invalid', 'too_long', 8192, 808]);
    expect(await post(7)).toEqual([422, 'validation_failed', 'invalid_option', undefined, undefined]);
    const none = await fixture.owner.post<ProblemBody>(columns(table), { name: 'X', type: 'formula' });
    expect(refusal(none)).toEqual([422, 'validation_failed', ['/options', 'invalid_option']]);
    const other = { name: 'X', type: 'formula', options: { formula: '1', columnIds: {} } };
    expect(refusal(await fixture.owner.post<ProblemBody>(columns(table), other))).toEqual([
      422,
      'validation_failed',
      ['/options', 'unknown_option'],
    ]);
  });

  it('holds texts with quotes and backslashes as they are, also in the view for operators', async () => {
    const table = await newTable([NAME, formula('Odd', `{name} & "'; drop table x; -- \\\\ \\" é"`)]);
    const made = await add(table, { name: "O'Neill" });
    const odd = `O'Neill'; drop table x; -- \\ " é`;
    expect(made.fields.odd).toBe(odd);
    const view = `"${table.physical.schema}"."_readable_${table.physical.table}"`;
    expect(await sql(fixture.app.config.miniDb, `select "Odd" from ${view}`)).toEqual([{ Odd: odd }]);
  });

  it('may be given another formula, which those that read it must bear', async () => {
    const table = await things(formula('Double', '{total} + {total}'), formula('Words', '"=" & {double}'));
    const { id } = await add(table, { unit_price: '2', qty: 3 });
    const changed = expectStatus(await edit(table, 'total', { options: { formula: '{qty} * 10' } }), 200);
    expect(changed.options).toEqual({ formula: '{qty} * 10' });
    expect((await row(table, id)).fields).toMatchObject({ total: '30', double: '60', words: '=60' });
    const text = await edit(table, 'total', { options: { formula: '"a"' } });
    expect(refusal(text)).toEqual([422, 'validation_failed', ['/options', 'formula_in_the_way']]);
    expect((await row(table, id)).fields).toMatchObject({ total: '30', double: '60' });
    expectStatus(await edit(table, 'words', { options: { formula: '{double} = 60' } }), 200);
    expect((await row(table, id)).fields.words).toBe(true);
  });

  it('leads in no circle, told with its path, whoever edits beside', async () => {
    const table = await newTable([NAME, QTY, formula('A', '{qty}'), formula('B', '{a} + 1'), formula('C', '{b} + 1')]);
    const answer = await edit(table, 'a', { options: { formula: '{c} + 1' } });
    expect(refusal(answer)).toEqual([422, 'formula_invalid', ['/options/formula', 'circular']]);
    expect(answer.body.detail).toBe('The formula leads back to itself: a → c → b → a.');
    const ring = [NAME, formula('D', '{a}'), formula('A', '{b}'), formula('B', '{c}'), formula('C', '{a}')];
    const atOnce = await fixture.owner.post<ProblemBody>(`/bases/${table.baseId}/tables`, {
      name: 'Ring',
      columns: ring,
    });
    expect(refusal(atOnce)).toEqual([422, 'formula_invalid', ['/columns/2/options/formula', 'circular']]);
    expect(atOnce.body.detail).toBe('The formula leads back to itself: a → b → c → a.');
    const apart = await newTable([NAME, QTY, formula('A', '{qty}'), formula('B', '{qty}')]);
    const both = await Promise.all([
      edit(apart, 'a', { options: { formula: '{b}' } }),
      edit(apart, 'b', { options: { formula: '{a}' } }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 422]);
    expect((await add(apart, { qty: 5 })).fields).toMatchObject({ qty: 5, a: 5, b: 5 });
  });

  it('cannot grow without bounds through others', async () => {
    const table = await newTable([NAME, QTY, formula('F0', '{qty} + {qty}')]);
    let last = await fixture.owner.post<ProblemBody>(columns(table), formula('F1', '{f0} + {f0}'));
    for (let i = 2; last.status === 201 && i < 40; i++)
      last = await fixture.owner.post<ProblemBody>(columns(table), formula(`F${i}`, `{f${i - 1}} + {f${i - 1}}`));
    expect(refusal(last)).toEqual([422, 'formula_invalid', ['/options/formula', 'too_complex']]);
    const { columns: made } = await fresh(table);
    const longer = Array(40).fill('{qty}').join(' + ');
    const grown = await edit(await fresh(table), 'f0', { options: { formula: longer } });
    expect(refusal(grown)).toEqual([422, 'validation_failed', ['/options', 'formula_in_the_way']]);
    expect((await add(table, { qty: 1 })).fields[`f${made.length - 3}`]).toBe(String(2 ** (made.length - 2)));
  });
});

describe('formulas that are short and come to much', () => {
  it('are refused before a row of them would be more than a statement can hold', async () => {
    const shift = (i: number) => formula(`C${i}`, `IFERROR(DATEADD({c${i - 1}}, {k}, "month", "Europe/Berlin"), {dt})`);
    const columnsOfIt = [
      { name: 'Txt', type: 'text' },
      { name: 'K', type: 'integer' },
      { name: 'Dt', type: 'datetime' },
      formula('C0', 'DATETIMEVALUE({txt})'),
    ];
    const table = await newTable([NAME, ...columnsOfIt]);
    let last = await fixture.owner.post<ProblemBody>(columns(table), shift(1));
    let made = 1;
    for (; last.status === 201; made++) last = await fixture.owner.post<ProblemBody>(columns(table), shift(made + 1));
    expect(refusal(last)).toEqual([422, 'formula_invalid', ['/options/formula', 'too_complex']]);
    let copies = await fixture.owner.post<ProblemBody>(columns(table), formula('D', `{c${made - 1}}`));
    for (let i = 0; copies.status === 201 && i < 250; i++)
      copies = await fixture.owner.post<ProblemBody>(columns(table), formula(`D${i}`, `{c${made - 1}}`));
    expect(copies.status).toBe(422);
    const { id } = await add(table, { txt: '2026-01-31T10:00:00Z', k: 1, dt: null });
    expectStatus(await fixture.owner.patch(path(table, id), { fields: { k: 2 } }), 200);
  });
});

describe('formulas that another version of the product made larger than this one would', () => {
  const twice = (text: string): string => `IFERROR(VALUE(${text}), VALUE(${text}) + 1) & ""`;
  const LARGE = twice(twice(twice('{name}')));
  const tableWithLarge = async (): Promise<Table> => {
    const table = await newTable([NAME, formula('Large', '{name}'), formula('Reader', '{name}')]);
    const { id } = columnOf(table, 'large');
    await sql(
      fixture.app.config.mainDb,
      `update columns set options = jsonb_set(options, '{formula}', to_jsonb($1::text)) where id = $2`,
      [LARGE, id],
    );
    return table;
  };

  it('are computed, and do not keep the base from being changed', async () => {
    const table = await tableWithLarge();
    const other = expectStatus(await fixture.owner.post<Column>(columns(table), QTY), 201);
    const { id } = await add(table, { name: '7', qty: 1 });
    expect((await row(table, id)).fields).toMatchObject({ name: '7', large: '7', qty: 1 });
    expectStatus(await fixture.owner.patch(`${columns(table)}/${other.id}`, { name: 'Number' }), 200);
    expectStatus(await fixture.owner.get(`/tables/${table.id}`), 200);
    expectStatus(await fixture.owner.del(`${columns(table)}/${other.id}`), 204);
    expectStatus(await edit(await fresh(table), 'large', { options: { formula: 'LOWER({name})' } }), 200);
    expect((await row(table, id)).fields).toMatchObject({ large: '7' });
  });

  it('can be deleted, and come back only as somebody could make them', async () => {
    const table = await tableWithLarge();
    const one = `${columns(table)}/${columnOf(table, 'large').id}`;
    expectStatus(await fixture.owner.del(one), 204);
    expect(refusal(await fixture.owner.post<ProblemBody>(`${one}/restore`))).toEqual([
      ...[422, 'validation_failed', ['', 'formula_in_the_way']],
    ]);
    expectStatus(await add(table, { name: 'x' }).then(({ id }) => fixture.owner.get(path(table, id))), 200);
  });

  it('are read by no new one, and do not grow', async () => {
    const table = await tableWithLarge();
    const reader = await edit(table, 'reader', { options: { formula: '{large}' } });
    expect(refusal(reader)).toEqual([422, 'formula_invalid', ['/options/formula', 'too_complex']]);
    const added = await fixture.owner.post<ProblemBody>(columns(table), formula('New', '{large}'));
    expect(refusal(added)).toEqual([422, 'formula_invalid', ['/options/formula', 'too_complex']]);
    const grown = await edit(table, 'large', { options: { formula: `LEN(${LARGE})` } });
    expect(refusal(grown)).toEqual([422, 'formula_invalid', ['/options/formula', 'too_complex']]);
  });
});

describe('formulas and links', () => {
  /** Orders with lines; each line has its total, each order what its lines come to. */
  async function orders() {
    const orders = await newTable([NAME]);
    const lines = await things();
    const options = { tableId: orders.id, inverseName: 'Lines', multiple: false };
    await addColumn(lines, { name: 'Purchase', type: 'link', options });
    await addColumn(orders, {
      name: 'Sum',
      type: 'rollup',
      options: { linkColumnId: 'lines', columnId: 'total', fn: 'sum' },
    });
    await addColumn(orders, { name: 'Totals', type: 'lookup', options: { linkColumnId: 'lines', columnId: 'total' } });
    await addColumn(orders, formula('Mean', 'ROUND({sum} / COUNT({lines}), 2)'));
    return { orders: await fresh(orders), lines: await fresh(lines) };
  }

  it('read each other', async () => {
    const at = await orders();
    const { id } = await add(at.orders, { name: 'o' });
    const first = await add(at.lines, { unit_price: '2', qty: 3, purchase: id });
    await add(at.lines, { unit_price: '1.5', qty: 1, purchase: id });
    expect((await row(at.orders, id)).fields).toMatchObject({ sum: '7.50', totals: ['6.00', '1.50'], mean: '3.75' });
    await fixture.owner.patch(path(at.lines, first.id), { fields: { qty: 4 } });
    expect((await row(at.orders, id)).fields).toMatchObject({ sum: '9.50', mean: '4.75' });
    const sorted = await query(at.orders, {
      filter: { field: 'mean', op: 'eq', value: '4.75' },
      sort: [{ field: 'mean' }],
    });
    expect(sorted.map((each) => each.id)).toEqual([id]);
    const view = `"${at.orders.physical.schema}"."_readable_${at.orders.physical.table}"`;
    expect(await sql(fixture.app.config.miniDb, `select "Mean" from ${view}`)).toEqual([{ Mean: '4.75' }]);
  });

  it('show in the answer to a write what it leads to, through a formula of another row of the same table', async () => {
    const tree = await newTable([NAME, QTY, formula('Double', '{qty} * 2')]);
    await addColumn(tree, {
      name: 'Parent',
      type: 'link',
      options: { tableId: tree.id, multiple: false, inverseName: 'Children' },
    });
    await addColumn(tree, { name: 'Above', type: 'lookup', options: { linkColumnId: 'parent', columnId: 'double' } });
    await addColumn(tree, formula('Plus', '{above} + {double}'));
    const top = await add(tree, { qty: 1 });
    const below = await add(tree, { qty: 10, parent: top.id });
    expect(below.fields).toMatchObject({ double: '20', above: '2', plus: '22' });
    const { results } = expectStatus(
      await fixture.bulk(tree, [
        { op: 'update', id: top.id, fields: { qty: 5 } },
        { op: 'update', id: below.id, fields: { name: 'x' } },
      ]),
      200,
    );
    for (const { row: answered } of results) expect(answered).toEqual(await row(tree, answered?.id ?? ''));
    expect(results[1]?.row?.fields).toMatchObject({ above: '10', plus: '30' });
  });

  it('may be asked for in any order', async () => {
    const other = await newTable([NAME, QTY]);
    const table = await newTable([
      formula('Half', '{sum} / 2'),
      { name: 'Sum', type: 'rollup', options: { linkColumnId: 'others', columnId: 'qty', fn: 'sum' } },
      { name: 'Others', type: 'link', options: { tableId: other.id } },
      NAME,
    ]);
    expect(table.columns.map(({ key }) => key)).toEqual(['half', 'sum', 'others', 'name']);
    const { id } = await add(other, { qty: 5 });
    expect((await add(table, { others: [id] })).fields).toMatchObject({ sum: '5', half: '2.5' });
  });

  it('make no circle either', async () => {
    const at = await orders();
    await addColumn(at.lines, {
      name: 'Whole',
      type: 'lookup',
      options: { linkColumnId: 'purchase', columnId: 'sum' },
    });
    const answer = await edit(at.lines, 'total', { options: { formula: '{whole} + 1' } });
    expect(refusal(answer)).toEqual([422, 'formula_invalid', ['/options/formula', 'circular']]);
    expect(answer.body.detail).toBe('The formula leads back to itself: total → whole → sum → total.');
  });
});

describe('what formulas read', () => {
  it('takes them into the trash, and back', async () => {
    const table = await things(formula('Double', '{total} * 2'));
    const price = columnOf(table, 'unit_price');
    const { id } = await add(table, { unit_price: '2', qty: 3 });
    expectStatus(await fixture.owner.del(`${columns(table)}/${price.id}`), 204);
    expect((await row(table, id)).fields).toEqual({ name: 'x', qty: 3 });
    await addColumn(table, { ...QTY, name: 'Unit-price' });
    const back = await fixture.owner.post<Column>(`${columns(table)}/${price.id}/restore`, {});
    expect(expectStatus(back, 200).key).toBe('unit_price_2');
    expect((await row(table, id)).fields).toMatchObject({
      unit_price: null,
      unit_price_2: '2.00',
      total: '6.00',
      double: '12.00',
    });
    expect(columnOf(await fresh(table), 'total').options).toEqual({ formula: '{unit_price_2} * {qty}' });
  });

  it('is called by the key that it has now, also by one that comes back later', async () => {
    const table = await things();
    const [price, total] = [columnOf(table, 'unit_price'), columnOf(table, 'total')];
    for (const { id } of [total, price]) expectStatus(await fixture.owner.del(`${columns(table)}/${id}`), 204);
    await addColumn(table, { ...NAME, name: 'Unit-price' });
    for (const { id } of [price, total])
      expectStatus(await fixture.owner.post(`${columns(table)}/${id}/restore`, {}), 200);
    expect(columnOf(await fresh(table), 'total').options).toEqual({ formula: '{unit_price_2} * {qty}' });
  });

  it('may be converted where they can bear it', async () => {
    const table = await things();
    const at = `${columns(table)}/${columnOf(table, 'qty').id}/convert`;
    const to = async (type: string): Promise<Answer<ProblemBody & { dependents: object[]; confirmToken: string }>> =>
      fixture.owner.post(at, { to: { type }, onError: 'abort', dryRun: true });
    expect(refusal(await to('text'))).toEqual([422, 'validation_failed', ['/to/type', 'formula_in_the_way']]);
    const dry = expectStatus(await to('decimal'), 200);
    expect(dry.dependents).toMatchObject([{ key: 'total', type: 'formula' }]);
    const { id } = await add(table, { unit_price: '2', qty: 3 });
    const { confirmToken } = expectStatus(await to('decimal'), 200);
    expectStatus(await fixture.owner.post(at, { to: { type: 'decimal' }, onError: 'abort', confirmToken }), 200);
    expect((await row(table, id)).fields.total).toBe('6');
  });

  it('cannot let one come back that it does not fit any more', async () => {
    const table = await things();
    const total = columnOf(table, 'total');
    expectStatus(await fixture.owner.del(`${columns(table)}/${total.id}`), 204);
    const at = `${columns(table)}/${columnOf(table, 'qty').id}/convert`;
    const body = { to: { type: 'text' }, onError: 'abort' };
    const { confirmToken } = expectStatus(
      await fixture.owner.post<{ confirmToken: string }>(at, { ...body, dryRun: true }),
      200,
    );
    expectStatus(await fixture.owner.post(at, { ...body, confirmToken }), 200);
    const back = await fixture.owner.post<ProblemBody>(`${columns(table)}/${total.id}/restore`, {});
    expect(refusal(back)).toEqual([422, 'validation_failed', ['', 'formula_in_the_way']]);
  });

  it('comes back without those that it does not fit any more, which stay in the trash', async () => {
    const other = await newTable([NAME, { name: 'N', type: 'integer' }]);
    const table = await newTable([NAME]);
    await addColumn(table, { name: 'Other', type: 'link', options: { tableId: other.id } });
    await addColumn(table, { name: 'L', type: 'lookup', options: { linkColumnId: 'other', columnId: 'n' } });
    await addColumn(table, formula('Sum', 'SUM({l})'));
    await addColumn(table, formula('More', '{sum} + 1'));
    expectStatus(await fixture.owner.del(`/tables/${table.id}`), 204);
    const at = `${columns(other)}/${columnOf(other, 'n').id}/convert`;
    const body = { to: { type: 'text' }, onError: 'abort' };
    const { confirmToken } = expectStatus(
      await fixture.owner.post<{ confirmToken: string }>(at, { ...body, dryRun: true }),
      200,
    );
    expectStatus(await fixture.owner.post(at, { ...body, confirmToken }), 200);
    const back = expectStatus(await fixture.owner.post<Table>(`/tables/${table.id}/restore`, {}), 200);
    expect(back.columns.map(({ key }) => key)).toEqual(['name', 'other', 'l']);
    const { data } = expectStatus(await fixture.owner.get<{ data: Column[] }>(`${columns(table)}?trashed=true`), 200);
    expect(data.map(({ key }) => key).sort()).toEqual(['more', 'sum']);
    expect((await add(table, {})).fields).toMatchObject({ l: [] });
  });

  it('tells those who follow the log what becomes of formulas that the row alone decides', async () => {
    const table = await things(formula('Double', '{total} * 2'), formula('Other', 'UPPER({name})'));
    const { id } = await add(table, { name: 'n', unit_price: '2', qty: 3 });
    expectStatus(await fixture.owner.patch(path(table, id), { fields: { qty: 4 } }), 200);
    const [change] = (await loggedChanges(fixture.app.config.miniDb, table)).filter(({ op }) => op === 'update');
    expect([change?.before, change?.after]).toEqual([
      { qty: 3, total: '6.00', double: '12.00' },
      { qty: 4, total: '8.00', double: '16.00' },
    ]);
  });
});

describe('copies of tables with formulas', () => {
  it('compute as the originals do', async () => {
    const table = await things(formula('Double', '{total} * 2'));
    await add(table, { unit_price: '2', qty: 3 });
    const copy = expectStatus(
      await fixture.owner.post<Table>(`/tables/${table.id}/duplicate`, { name: 'Copy of things', withRows: true }),
      201,
    );
    expect((await query(copy, {})).map(({ fields }) => fields.double)).toEqual(['12.00']);
    expectStatus(await fixture.owner.del(`${columns(table)}/${columnOf(table, 'qty').id}`), 204);
    expect((await query(copy, {})).map(({ fields }) => fields.double)).toEqual(['12.00']);
  });

  it('survive being a template', async () => {
    const table = await newTable([formula('Later', '{total} + 1'), ...(await things()).columns.map(plain)]);
    const { tables } = expectStatus(
      await fixture.owner.get<{ tables: { key: string; columns: { key: string; options: object }[] }[] }>(
        `/bases/${table.baseId}/template`,
      ),
      200,
    );
    const told = tables.find(({ key }) => key === table.key);
    expect(told?.columns[0]).toMatchObject({ key: 'later', options: { formula: '{total} + 1' } });
    const made = expectStatus(
      await fixture.owner.post<{ id: string }>(`/workspaces/${table.workspaceId}/bases/from-template`, {
        name: 'Made of it',
        template: { format: 'live-tables/template@1', name: 'x', tables: [told] },
      }),
      201,
    );
    const { data } = expectStatus(await fixture.owner.get<{ data: Table[] }>(`/bases/${made.id}/tables`), 200);
    const [first] = data;
    if (!first) throw new Error('no table was made');
    expect(first.columns.map(({ key }) => key)).toEqual(['later', 'name', 'total', 'unit_price', 'qty']);
    expect((await add(first, { unit_price: '2', qty: 3 })).fields.later).toBe('7.00');
  });
});

describe('a formula that is typed', () => {
  interface Checked {
    readonly ok: boolean;
    readonly result: object | null;
    readonly errors: readonly { readonly code: string; readonly position?: number }[];
    readonly completions: readonly { readonly kind: string; readonly label: string; readonly insert: string }[];
  }
  const check = async (body: object): Promise<Checked> =>
    expectStatus(await fixture.owner.post<Checked>('/formulas/check', body), 200);

  it('is told what it gives, and what is wrong with it where', async () => {
    const { id: tableId } = await things();
    expect(await check({ tableId, formula: '{total} / 2' })).toEqual({
      ok: true,
      result: { type: 'decimal', options: {}, list: false },
      errors: [],
      completions: [],
    });
    const flawed = await check({ tableId, formula: '{Unit price} + {name}' });
    expect(flawed).toMatchObject({
      ok: false,
      result: null,
      errors: [{ code: 'wrong_type', position: 15, length: 6 }],
    });
    expect((await check({ formula: '"a" & 1' })).result).toMatchObject({ type: 'long_text' });
    expect((await check({ formula: '{total}' })).errors).toMatchObject([{ code: 'unknown_column' }]);
    expect((await check({ tableId, formula: 'x'.repeat(9_000) })).errors).toMatchObject([{ code: 'too_long' }]);
  });

  it('is told what can stand where the person types', async () => {
    const { id: tableId } = await things();
    const at = async (formula: string, position = formula.length) =>
      (await check({ tableId, formula, position })).completions;
    expect((await at('{un'))[0]).toMatchObject({
      kind: 'column',
      insert: '{unit_price}',
      name: 'Unit price',
      type: 'decimal',
    });
    expect((await at('1 + RO'))[0]).toMatchObject({ kind: 'function', label: 'ROUND', from: 4, to: 6 });
    expect(await at('"in a text')).toEqual([]);
    expect((await at('', 5_000)).length).toBeGreaterThan(10);
  });

  it('is told what would lead back to its column, and what could not bear it', async () => {
    const table = await things(formula('Double', '{total} * 2'));
    const [tableId, columnId] = [table.id, columnOf(table, 'total').id];
    const of = async (text: string) => (await check({ tableId, columnId, formula: text })).errors;
    expect(await of('{qty} + 1')).toEqual([]);
    expect(await of('{double}')).toMatchObject([{ code: 'circular', position: 0, length: 8 }]);
    expect(await of('{name}')).toMatchObject([{ code: 'formula_in_the_way' }]);
    expect(columnOf(await fresh(table), 'total').options).toEqual({ formula: '{unit_price} * {qty}' });
    for (const body of [{ tableId, columnId: columnOf(table, 'qty').id }, { tableId, columnId: tableId }, { columnId }])
      expect((await fixture.owner.post<ProblemBody>('/formulas/check', { formula: '1', ...body })).status).toBe(404);
  });
});

const plain = ({ name, type, options }: Column) => ({ name, type, options });
