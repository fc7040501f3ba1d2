import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  startApp,
  waitFor,
  world,
  type Client,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Report {
  readonly rows: number;
  readonly convertible: number;
  readonly failing: number;
  readonly samples: readonly { readonly rowId: string; readonly value: string; readonly code: string }[];
  readonly dependents: readonly { readonly tableId: string; readonly key: string; readonly type: string }[];
  readonly obstacles: readonly { readonly code: string; readonly count: number; readonly values?: readonly object[] }[];
  readonly default: unknown;
  readonly defaultDropped: boolean;
  readonly confirmToken: string;
}

let pair: TestDatabases;
let app: TestApp;
let other: TestApp;
let at: World;
let owner: Client;
beforeAll(async () => {
  pair = await databases();
  [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

let made = 0;
const newTable = async (columns: readonly object[]): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Conv ${++made}`, columns }), 201);
const fill = async (table: Table, cells: readonly unknown[]): Promise<void> => {
  const ops = cells.map((cell) => ({ op: 'create', fields: { [table.columns[0]?.key ?? '']: cell } }));
  expectStatus(await owner.post(`/tables/${table.id}/rows/bulk`, { ops }), 200);
};
const pathOf = (table: Table, nr = 0): string => `/tables/${table.id}/columns/${table.columns[nr]?.id}/convert`;
const tryOut = async (table: Table, to: object, onError: 'abort' | 'null' = 'null'): Promise<Report> =>
  expectStatus(await owner.post<Report>(pathOf(table), { to, onError, dryRun: true }), 200);
const convert = async (table: Table, to: object, onError: 'abort' | 'null' = 'null') => {
  const { confirmToken } = await tryOut(table, to, onError);
  return owner.post<Column>(pathOf(table), { to, onError, confirmToken });
};
const cells = async (table: Table): Promise<unknown[]> =>
  expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`), 200).data.map(
    ({ fields }) => fields[table.columns[0]?.key ?? ''],
  );
const code = (body: unknown): string => (body as ProblemBody).code;

describe('a conversion', () => {
  it('is tried out first: what converts, what does not and why; then done, with the old column in the trash', async () => {
    const table = await newTable([{ name: 'T', type: 'text', default: 'x' }]);
    await fill(table, ['1', '2.5', 'abc', null, '2.555']);
    const to = { type: 'decimal', options: { scale: 2 } };
    const report = await tryOut(table, to);
    expect(report).toMatchObject({ rows: 5, convertible: 2, failing: 2, dependents: [] });
    expect(report.samples.map(({ value, code: why }) => [value, why])).toEqual([
      ['abc', 'not_a_number'],
      ['2.555', 'too_many_digits'],
    ]);
    expect(await cells(table)).toEqual(['1', '2.5', 'abc', null, '2.555']);
    const column = expectStatus(
      await owner.post<Column>(pathOf(table), { to, onError: 'null', confirmToken: report.confirmToken }),
      200,
    );
    expect(column).toMatchObject({ id: table.columns[0]?.id, key: 't', name: 'T', type: 'decimal', default: null });
    expect(await cells(table)).toEqual(['1.00', '2.50', null, null, null]);
    const trash = await owner.get<{ data: readonly Column[] }>(`/tables/${table.id}/columns?trashed=true`);
    const [old] = trash.body.data;
    expect(old).toMatchObject({ name: 'T (before conversion)', type: 'text' });
    const back = await owner.post<Column>(`/tables/${table.id}/columns/${old?.id}/restore`, {});
    const { key } = expectStatus(back, 200);
    const rows = await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`);
    expect(rows.body.data.map(({ fields }) => fields[key])).toEqual(['1', '2.5', 'abc', null, '2.555']);
  });

  it('that may not lose anything is refused with what is in the way, and nothing has changed', async () => {
    const table = await newTable([{ name: 'T', type: 'text' }]);
    await fill(table, ['1', 'abc']);
    const refused = await convert(table, { type: 'integer' }, 'abort');
    expect([refused.status, code(refused.body)]).toEqual([409, 'rows_in_the_way']);
    expect(refused.body).toMatchObject({ errors: [{ code: 'values_not_convertible', count: 1 }] });
    expect(await cells(table)).toEqual(['1', 'abc']);
    expect((await owner.post(`/tables/${table.id}/rows`, { fields: { t: 'more' } })).status).toBe(201);
  });

  it('needs the token of its own dry run', async () => {
    const [a, b] = [await newTable([{ name: 'T', type: 'text' }]), await newTable([{ name: 'T', type: 'text' }])];
    const to = { type: 'integer' };
    const { confirmToken } = await tryOut(a, to);
    const send = async (table: Table, body: object) => {
      const answer = await owner.post(pathOf(table), { to, onError: 'null', ...body });
      return [answer.status, code(answer.body)];
    };
    expect(await send(a, {})).toEqual([422, 'confirmation_required']);
    expect(await send(a, { dryRun: false })).toEqual([422, 'confirmation_required']);
    expect(await send(a, { confirmToken: 'x' })).toEqual([409, 'confirmation_stale']);
    expect(await send(b, { confirmToken })).toEqual([409, 'confirmation_stale']);
    expect(await send(a, { confirmToken, to: { type: 'boolean' } })).toEqual([409, 'confirmation_stale']);
    expect(await send(a, { confirmToken, onError: 'abort' })).toEqual([409, 'confirmation_stale']);
    expect((await owner.post(pathOf(a), { to, onError: 'null', confirmToken })).status).toBe(200);
    expect(await send(a, { confirmToken })).toEqual([409, 'confirmation_stale']);
  });

  it('of values that have changed since the dry run is refused, of rows that have otherwise changed it is done', async () => {
    const table = await newTable([
      { name: 'T', type: 'text' },
      { name: 'N', type: 'integer' },
    ]);
    await fill(table, ['1', '2']);
    const to = { type: 'integer' };
    const rows = expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`), 200).data;
    const change = async (fields: object) =>
      expectStatus(await owner.patch(`/tables/${table.id}/rows/${rows[0]?.id}`, { fields }), 200);
    const first = await tryOut(table, to);
    await change({ t: '3' });
    const stale = await owner.post(pathOf(table), { to, onError: 'null', confirmToken: first.confirmToken });
    expect([stale.status, code(stale.body)]).toEqual([409, 'confirmation_stale']);
    const early = await tryOut(table, to);
    const more = expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields: { n: 5 } }), 201);
    const late = await owner.post(pathOf(table), { to, onError: 'null', confirmToken: early.confirmToken });
    expect([late.status, code(late.body)]).toEqual([409, 'confirmation_stale']);
    expectStatus(await owner.del(`/tables/${table.id}/rows/${more.id}`), 204);
    const second = await tryOut(table, to);
    await change({ n: 1 });
    const body = { to, onError: 'null', confirmToken: second.confirmToken };
    expect((await owner.post(pathOf(table), body)).status).toBe(200);
    expect(await cells(table)).toEqual([3, 2]);
  });

  it('makes choices of the values that are there', async () => {
    const table = await newTable([{ name: 'T', type: 'text' }]);
    await fill(table, ['Open', 'Won', 'Open', null]);
    const column = expectStatus(await convert(table, { type: 'single_select' }), 200);
    expect(column.options).toEqual({
      choices: [
        { key: 'open', label: 'Open' },
        { key: 'won', label: 'Won' },
      ],
    });
    expect(await cells(table)).toEqual(['open', 'won', 'open', null]);
    expectStatus(await convert(table, { type: 'multi_select' }), 200);
    expect(await cells(table)).toEqual([['open'], ['won'], ['open'], []]);
    expectStatus(await convert(table, { type: 'text' }), 200);
    expect(await cells(table)).toEqual(['Open', 'Won', 'Open', null]);
  });

  it.each(['single_select', 'multi_select'])(
    'makes choices that all values have, however they are written: %s, at once and in the background',
    async (type) => {
      const values = [
        'Won',
        'WON',
        'won ',
        'OPEN ',
        '\tlost\n',
        'Café',
        'cafe\u0301',
        'Straße',
        'Σας',
        'ΣΑΣ',
        'Open!',
        'x'.repeat(255),
      ];
      const twins = [
        await newTable([{ name: 'T', type: 'text' }]),
        await newTable([{ name: 'T', type: 'text' }]),
      ] as const;
      const large = await startApp({ databases: pair, env: { CONVERSION_BACKGROUND_ROWS: '10' } });
      const found = [];
      for (const [table, node] of [
        [twins[0], app],
        [twins[1], large],
      ] as const) {
        await fill(table, values);
        const as = client(node.base, at.owner.accessToken);
        const tried = expectStatus(await as.post<Report>(pathOf(table), { to: { type }, dryRun: true }), 200);
        expect(tried).toMatchObject({ convertible: values.length, failing: 0, samples: [] });
        const body = { to: { type }, confirmToken: tried.confirmToken };
        expectStatus(await as.post(pathOf(table), body), node === app ? 200 : 202);
        const column = async () => expectStatus(await as.get<Table>(`/tables/${table.id}`), 200).columns[0];
        await waitFor(async () => (await column())?.type === type, 20_000);
        const { choices } = (await column())?.options as { choices: { key: string; label: string }[] };
        const labels = new Map(choices.map(({ key, label }) => [key, label]));
        found.push((await cells(table)).flat().map((key) => labels.get(String(key))));
      }
      await large.close();
      const [now, later] = found;
      expect(later).toEqual(now);
      const straight = [
        'WON',
        'WON',
        'WON',
        'OPEN',
        'lost',
        'Café',
        'Café',
        'Straße',
        'ΣΑΣ',
        'ΣΑΣ',
        'Open!',
        'x'.repeat(255),
      ];
      expect(now).toEqual(straight);
    },
  );

  it('takes texts with commas apart into choices of their own', async () => {
    const table = await newTable([{ name: 'T', type: 'text' }]);
    await fill(table, ['red, blue', 'Blue', 'green']);
    expectStatus(await convert(table, { type: 'multi_select' }, 'abort'), 200);
    expect(await cells(table)).toEqual([['red', 'blue'], ['blue'], ['green']]);
  });

  it('makes a list in JSON of each list of choices', async () => {
    const choices = [{ label: 'Red' }, { label: 'Blue' }];
    const table = await newTable([{ name: 'T', type: 'multi_select', options: { choices } }]);
    await fill(table, [['blue', 'red'], ['red'], []]);
    expect(await tryOut(table, { type: 'json' })).toMatchObject({ convertible: 2, failing: 0, samples: [] });
    expectStatus(await convert(table, { type: 'json' }, 'abort'), 200);
    expect(await cells(table)).toEqual([['blue', 'red'], ['red'], null]);
    expectStatus(await convert(table, { type: 'multi_select' }, 'abort'), 200);
    expect(await cells(table)).toEqual([['blue', 'red'], ['red'], []]);
  });

  it('makes JSON of the texts of it, of its lists choices, and the same of a default', async () => {
    const table = await newTable([{ name: 'T', type: 'text', default: ' ["Red", "blue"]' }]);
    await fill(table, ['{"a":{"b":[1]}}', '[Red', '["Blue"]', 'Red, Blue']);
    const column = expectStatus(await convert(table, { type: 'json' }, 'abort'), 200);
    expect(column.default).toEqual(['Red', 'blue']);
    expect(await cells(table)).toEqual([{ a: { b: [1] } }, '[Red', ['Blue'], 'Red, Blue']);
    const choices = [{ label: 'Red' }, { label: 'Blue' }];
    const to = { type: 'multi_select', options: { choices } };
    expect(await tryOut(table, to)).toMatchObject({ convertible: 2, failing: 2, default: ['red', 'blue'] });
    expectStatus(await convert(table, to), 200);
    expect(await cells(table)).toEqual([[], [], ['blue'], ['red', 'blue']]);
  });

  it('keeps what is demanded of the column, or is refused', async () => {
    const unique = await newTable([{ name: 'T', type: 'text', unique: true }]);
    await fill(unique, ['1', '1.0']);
    const refused = await convert(unique, { type: 'decimal' });
    expect([refused.status, code(refused.body)]).toEqual([409, 'rows_in_the_way']);
    expect(await cells(unique)).toEqual(['1', '1.0']);
    const required = await newTable([{ name: 'T', type: 'text', required: true }]);
    await fill(required, ['abc']);
    expect((await convert(required, { type: 'integer' })).status).toBe(409);
    expect(await cells(required)).toEqual(['abc']);
  });

  it('is tried out with what is demanded of the column: values that would repeat, and such that may not be left empty', async () => {
    const table = await newTable([{ name: 'T', type: 'text', required: true, unique: true }]);
    await fill(table, ['1', '01.0', 'abc', '2']);
    const report = await tryOut(table, { type: 'decimal', options: { scale: 1 } });
    expect(report.obstacles).toMatchObject([
      { code: 'values_not_convertible', count: 1, samples: [{ value: 'abc', code: 'not_a_number' }] },
      { code: 'values_repeat', count: 1, values: [{ value: '1.0', rows: 2 }] },
    ]);
    const refused = await convert(table, { type: 'decimal', options: { scale: 1 } });
    expect(refused.body).toMatchObject({
      code: 'rows_in_the_way',
      errors: [
        { code: 'values_not_convertible', detail: expect.stringContaining('the column is required') as unknown },
        { code: 'values_repeat', values: [{ value: '1.0', rows: 2 }] },
      ],
    });
    expect((await tryOut(table, { type: 'text' })).obstacles).toEqual([]);
  });

  it.each([
    ['text', {}, '7', 'integer', {}, 7],
    ['text', {}, 'abc', 'integer', {}, null],
    ['text', {}, 'true', 'boolean', {}, true],
    ['integer', {}, 7, 'text', {}, '7'],
    ['integer', {}, 7, 'decimal', {}, '7'],
    ['date', {}, '2026-11-26', 'text', {}, '2026-11-26'],
    ['date', {}, 'now', 'datetime', {}, 'now'],
    ['date', {}, 'now', 'text', {}, null],
    ['text', {}, 'now', 'date', {}, null],
    ['single_select', { choices: [{ key: 'a', label: 'Open' }] }, 'a', 'text', {}, 'Open'],
    ['single_select', { choices: [{ key: 'a', label: 'Open' }] }, 'a', 'multi_select', {}, ['a']],
    ['multi_select', { choices: [{ key: 'a', label: 'Open' }] }, ['a'], 'json', {}, ['a']],
    ['json', {}, 7, 'integer', {}, 7],
    ['json', {}, { a: 7 }, 'json', {}, { a: 7 }],
  ])(
    'keeps a default (%s %j %j) that %s %j takes as %j, and says when it does not',
    async (type, options, given, to, more, expected) => {
      const table = await newTable([{ name: 'T', type, options, default: given }]);
      const target = { type: to, ...(Object.keys(more).length > 0 ? { options: more } : {}) };
      const report = await tryOut(table, target);
      expect([report.default, report.defaultDropped]).toEqual([expected, expected === null]);
      expect(expectStatus(await convert(table, target), 200).default).toEqual(expected);
      const made = expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields: {} }), 201);
      if (given !== 'now') expect(made.fields.t ?? null).toEqual(expected);
      // The old one has its own still when it is had back.
      const { data } = (await owner.get<{ data: readonly Column[] }>(`/tables/${table.id}/columns?trashed=true`)).body;
      const back = await owner.post<Column>(`/tables/${table.id}/columns/${data[0]?.id}/restore`, {});
      expect(expectStatus(back, 200).default).toEqual(given);
    },
  );

  it('moves on the tables that show the column, and is refused where a rollup could not be taken any more', async () => {
    const companies = await newTable([{ name: 'Size', type: 'integer' }]);
    const people = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Company', type: 'link', options: { tableId: companies.id, multiple: false } },
      { name: 'Size', type: 'lookup', options: { linkColumnId: 'company', columnId: 'size' } },
    ]);
    const acme = expectStatus(await owner.post<Row>(`/tables/${companies.id}/rows`, { fields: { size: 7 } }), 201);
    const ann = expectStatus(
      await owner.post<Row>(`/tables/${people.id}/rows`, { fields: { name: 'Ann', company: [acme.id] } }),
      201,
    );
    const report = await tryOut(companies, { type: 'text' });
    expect(report.dependents).toMatchObject([{ tableId: people.id, key: 'size', type: 'lookup' }]);
    expectStatus(await convert(companies, { type: 'text' }), 200);
    for (const node of [app, other]) {
      const row = await client(node.base, at.owner.accessToken).get<Row>(`/tables/${people.id}/rows/${ann.id}`);
      expect(row.body.fields.size).toBe('7');
    }
    const after = await owner.get<Table>(`/tables/${people.id}`);
    expect(after.body.schemaVersion).toBe(people.schemaVersion + 1);
    expectStatus(await convert(companies, { type: 'integer' }), 200);
    const rollup = { name: 'Sum', type: 'rollup', options: { linkColumnId: 'company', columnId: 'size', fn: 'sum' } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, rollup), 201);
    expect((await owner.post(pathOf(companies), { to: { type: 'text' }, dryRun: true })).status).toBe(422);
  });

  it.each([
    ['link', {}],
    ['lookup', {}],
    ['autonumber', {}],
    ['created_at', {}],
    ['user', {}],
    ['attachment', {}],
  ])('into %s is refused', async (type, options) => {
    const table = await newTable([{ name: 'T', type: 'text' }]);
    expect((await owner.post(pathOf(table), { to: { type, options }, dryRun: true })).status).toBe(422);
  });

  it('while people write on two nodes: every writer gets an answer, and no value is lost', async () => {
    const table = await newTable([{ name: 'T', type: 'text' }]);
    await fill(
      table,
      Array.from({ length: 500 }, (_, i) => String(i)),
    );
    const nodes = [app, other].map(({ base }) => client(base, at.owner.accessToken));
    let done = false;
    const written: string[] = [];
    const statuses = new Set<number>();
    const write = async (node: Client, nr: number): Promise<void> => {
      for (let i = 0; !done || i < 5; i++) {
        const given = String(1_000 + nr * 10_000 + i);
        // A number before and behind: whichever type it meets, it is a value or a refusal.
        const answer = await node.post(`/tables/${table.id}/rows`, { fields: { t: given } });
        statuses.add(answer.status);
        if (answer.status === 201) written.push(given);
      }
    };
    const writers = nodes.map((node, nr) => write(node, nr));
    const to = { type: 'integer' };
    const { confirmToken } = await tryOut(table, to);
    // More is written than anybody could look at before.
    expectStatus(await owner.post(pathOf(table), { to, onError: 'null', confirmToken, acceptChanges: true }), 200);
    done = true;
    await Promise.all(writers);
    expect([...statuses].filter((status) => ![201, 422, 423].includes(status))).toEqual([]);
    const found = new Set<unknown>();
    for (let cursor = ''; ;) {
      const page = await owner.get<{ data: readonly Row[]; page: { nextCursor?: string } }>(
        `/tables/${table.id}/rows?limit=200${cursor && `&cursor=${cursor}`}`,
      );
      for (const { fields } of page.body.data) found.add(fields.t);
      if (!page.body.page.nextCursor) break;
      cursor = page.body.page.nextCursor;
    }
    for (const given of written) expect(found).toContain(Number(given));
    expect(found.size).toBe(500 + written.length);
  }, 60_000);
});
