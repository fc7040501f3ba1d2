import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  signup,
  sql,
  startApp,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from '../support/changes.js';

interface Page {
  readonly data: readonly Row[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
  readonly count?: { readonly mode: string; readonly value: number; readonly relation: string };
  readonly meta: { readonly schemaVersion: number; readonly epoch: string; readonly seq: number };
}
interface Bulk {
  readonly summary: { readonly total: number; readonly ok: number; readonly failed: number };
  readonly results: readonly {
    readonly index: number;
    readonly ref?: string;
    readonly status: number;
    readonly id?: string;
    readonly row?: Row;
    readonly error?: ProblemBody;
  }[];
  readonly meta: { readonly epoch: string; readonly seq: number };
}

let app: TestApp;
let other: TestApp;
let at: World;
let owner: Person;
beforeAll(async () => {
  const pair = await databases();
  [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

/** The owner as a client of the one node or the other. */
const onEitherNode = (): ((i: number) => Client) => {
  const [a, b] = [client(app.base, owner.token), client(other.base, owner.token)];
  return (i) => (i % 2 ? b : a);
};

let tables = 0;
const newTable = async (columns?: readonly object[]): Promise<Table> =>
  expectStatus(
    await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Table ${++tables}`, columns: columns ?? CORE }),
    201,
  );
const CORE = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Qty', type: 'integer' },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Seen', type: 'datetime' },
  { name: 'Notes', type: 'long_text' },
  {
    name: 'Status',
    type: 'single_select',
    options: { choices: [{ label: 'Open' }, { label: 'Won' }, { label: 'Lost' }] },
  },
  { name: 'Code', type: 'text', unique: true },
];

const path = ({ id }: Table, ...rest: string[]) => [`/tables/${id}/rows`, ...rest].join('/');
const add = async (table: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(path(table), { fields: { name: 'x', ...fields } }), 201);
const bulk = (table: Table, ops: readonly unknown[], mode?: string) =>
  owner.post<Bulk & ProblemBody>(path(table, 'bulk'), { ops, ...(mode ? { mode } : {}) });
const list = async (table: Table, query = ''): Promise<Page> =>
  expectStatus(await owner.get<Page>(`${path(table)}?${query}`), 200);
const tag = ({ headers }: Answer<unknown>) => headers.get('etag');
const seq = ({ headers }: Answer<unknown>) => Number(headers.get('live-seq'));
const refusal = ({ status, headers, body }: Answer<unknown>) => {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const { code, errors } = body as ProblemBody;
  return [status, code, ...(errors ?? []).map((each) => `${each.pointer} ${each.code}`)];
};
/** The log is without a hole and makes the table anew; its last number is what the API says. */
const proveLog = async (table: Table): Promise<void> => {
  const changes = await loggedChanges(app.config.miniDb, table);
  expect((await list(table)).meta.seq).toBe(changes.at(-1)?.seq ?? 0);
  const stored = await storedRows(app.config.miniDb, table);
  const states = (rows: typeof stored) => [...rows].map(([id, { version }]) => [id, version]).toSorted();
  expect(states(replay(changes))).toEqual(states(stored));
};

describe('the life of a row', () => {
  it('create, read, change, delete: each with its version and its number', async () => {
    const table = await newTable();
    const fields = {
      name: 'Acme',
      amount: '1200.50',
      qty: 3,
      active: true,
      due: '2026-12-01',
      seen: '2026-12-01T09:00:00.000Z',
      notes: 'a\nb',
      status: 'open',
      code: null,
    };
    const made = await owner.post<Row>(path(table), {
      fields: { ...fields, amount: 1200.5, status: 'Open', seen: '2026-12-01T10:00:00+01:00' },
    });
    const row = expectStatus(made, 201);
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      version: 1,
      fields,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      createdBy: owner.user.id,
      updatedAt: row.createdAt,
      updatedBy: owner.user.id,
    });
    expect([tag(made), seq(made), made.headers.get('location')]).toEqual(['"1"', 1, `/api/v1${path(table, row.id)}`]);
    expect(made.headers.get('content-type')).toMatch(/^application\/json/);

    const read = await owner.get(path(table, row.id));
    expect([read.status, tag(read), read.body]).toEqual([200, '"1"', row]);

    const changed = await owner.patch<Row>(path(table, row.id), { fields: { qty: null, name: 'ACME' } });
    expect([changed.status, tag(changed), seq(changed)]).toEqual([200, '"2"', 2]);
    expect(changed.body).toMatchObject({ version: 2, fields: { ...fields, qty: null, name: 'ACME' } });

    for (const same of [{}, { name: 'ACME' }, { amount: '1200.5' }, { qty: null, status: 'Open' }]) {
      const noop = await owner.patch<Row>(path(table, row.id), { fields: same });
      expect([noop.status, tag(noop), seq(noop), noop.body]).toEqual([200, '"2"', 2, changed.body]);
    }

    const gone = await owner.del(path(table, row.id));
    expect([gone.status, seq(gone), gone.text]).toEqual([204, 3, '']);
    for (const again of [
      owner.get(path(table, row.id)),
      owner.del(path(table, row.id)),
      owner.patch(path(table, row.id), { fields: {} }),
    ])
      expect(refusal(await again)).toEqual([404, 'not_found']);
    expect((await list(table)).data).toEqual([]);
    await proveLog(table);
  });

  it('keeps every value exactly, or refuses it', async () => {
    const table = await newTable([
      { name: 'T', type: 'text' },
      { name: 'L', type: 'long_text' },
      { name: 'I', type: 'integer' },
      { name: 'D', type: 'decimal' },
      { name: 'A', type: 'date' },
      { name: 'S', type: 'datetime' },
    ]);
    const exact = [
      {
        t: '\u{1F600} \u0001"\\/%_\'',
        l: '\u2028\r\n\t',
        i: 2 ** 53 - 1,
        d: '99999999999999999999999999999999999999',
        a: '0001-01-01',
        s: '0001-01-01T00:00:00.000Z',
      },
      {
        t: '',
        l: ' ',
        i: 1 - 2 ** 53,
        d: '-0.00000000000000000000000000000000000001',
        a: '9999-12-31',
        s: '9999-12-31T23:59:59.999Z',
      },
      { t: 'null', l: 'x'.repeat(100_000), i: 0, d: '0.10', a: '2024-02-29', s: '2026-01-01T00:00:00.001Z' },
    ];
    for (const fields of exact) {
      const row = expectStatus(await owner.post<Row>(path(table), { fields }), 201);
      expect(row.fields).toEqual(fields);
      expect((await owner.get<Row>(path(table, row.id))).body.fields).toEqual(fields);
    }
    expect((await list(table)).data.map(({ fields }) => fields)).toEqual(exact);
    const before = (await list(table)).meta.seq;
    const refused = [
      ['{"t":"a\\u0000b"}', '/fields/t nul_character'], ['{"t":"\\ud800"}', '/fields/t lone_surrogate'], ['{"i":9007199254740993}', '/fields/i'], ['{"i":1.5}', '/fields/i not_an_integer'],
      ['{"i":"1"}', '/fields/i not_an_integer'], ['{"d":"NaN"}', '/fields/d not_a_number'], ['{"d":1e400}', '/fields/d'], ['{"d":"1e38"}', '/fields/d out_of_range'],
      ['{"a":"2026-02-30"}', '/fields/a no_such_date'], ['{"s":"2026-01-01T00:00:00.0001Z"}', '/fields/s too_precise'], ['{"s":"2026-01-01"}', '/fields/s not_a_datetime'], ['{"t":["a"]}', '/fields/t not_text'],
    ] as const; // prettier-ignore
    for (const [text, finding] of refused) {
      const answer = await owner.call('POST', path(table), `{"fields":${text}}`, {
        'content-type': 'application/json',
      });
      const [status, , first] = refusal(answer);
      expect([text, status]).toEqual([text, 422]);
      expect(first).toMatch(new RegExp(`^${finding}`));
    }
    expect((await list(table)).meta.seq).toBe(before);
  });

  it('names everything that is wrong with it at once', async () => {
    const table = await newTable();
    const body = { fields: { qty: 1.5, due: 'tomorrow', nope: 1, _version: 7, status: 'Maybe' } };
    expect(refusal(await owner.post(path(table), body))).toEqual([
      422, 'validation_failed', '/fields/qty not_an_integer', '/fields/due not_a_date', '/fields/nope unknown_field', '/fields/_version unknown_field',
      '/fields/status not_a_choice', '/fields/name required',
    ]); // prettier-ignore
    expect((await list(table)).meta.seq).toBe(0);
  });

  it('is written by editors, read by viewers, and not there for others', async () => {
    const table = await newTable();
    const row = await add(table, {});
    const [editor, viewer, stranger] = [await member(at, 'editor'), await member(at, 'viewer'), await signup(app.base)];
    expectStatus(await editor.patch(path(table, row.id), { fields: { qty: 1 } }), 200);
    expectStatus(await viewer.get(path(table, row.id)), 200);
    expectStatus(await viewer.post(path(table, 'query'), {}), 200);
    const writes = (person: Person) => [
      person.post(path(table), { fields: { name: 'x' } }),
      person.patch(path(table, row.id), { fields: {} }),
      person.del(path(table, row.id)),
      person.post(path(table, 'bulk'), { ops: [{ op: 'delete', id: row.id }] }),
    ];
    for (const write of writes(viewer)) expect(refusal(await write)).toEqual([403, 'role_too_low']);
    for (const call of [
      ...writes(stranger),
      stranger.get(path(table)),
      stranger.get(path(table, row.id)),
      stranger.post(path(table, 'query'), {}),
    ])
      expect(refusal(await call)).toEqual([404, 'not_found']);
    // A row is found in its own table only.
    const second = await newTable();
    expect(refusal(await owner.get(path(second, row.id)))).toEqual([404, 'not_found']);
    expect(refusal(await owner.patch(path(second, row.id), { fields: { qty: 9 } }))).toEqual([404, 'not_found']);
    expect((await list(table)).data).toMatchObject([{ id: row.id, version: 2, fields: { qty: 1 } }]);
  });

  it('leaves who changed what, by which request and from which client', async () => {
    const table = await newTable();
    const headers = { 'x-client-id': 'tab-7', 'x-request-id': 'request-42' };
    const row = expectStatus(await owner.post<Row>(path(table), { fields: { name: 'x' } }, headers), 201);
    const [entry] = await sql(
      app.config.miniDb,
      `select row_id, actor_id, actor_name, client_id, request_id, source from "${table.physical.schema}"._change where table_id = $1`,
      [table.id],
    );
    expect(entry).toEqual({
      row_id: row.id,
      actor_id: owner.user.id,
      actor_name: owner.user.name,
      client_id: 'tab-7',
      request_id: 'request-42',
      source: 'api',
    });
  });
});

describe('If-Match', () => {
  it('lets a write through only while the row has this version, and shows the row when it has not', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1 });
    const patch = (fields: object, etag: string) =>
      owner.patch<Row & { current: Row }>(path(table, row.id), { fields }, { 'if-match': etag });
    expect(tag(await patch({ qty: 2 }, '"1"'))).toBe('"2"');
    const stale = await patch({ qty: 3 }, '"1"');
    expect([refusal(stale), tag(stale)]).toEqual([[412, 'version_mismatch'], '"2"']);
    expect(stale.body.current).toEqual((await owner.get(path(table, row.id))).body);
    // Also where nothing would change: the client was wrong about what is there.
    expect(refusal(await patch({ qty: 2 }, '"1"'))).toEqual([412, 'version_mismatch']);
    expect(refusal(await owner.del(path(table, row.id), { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expect((await patch({ qty: 4 }, '*')).status).toBe(200);
    expect((await owner.del(path(table, row.id), { 'if-match': '"3"' })).status).toBe(204);
    expect(refusal(await patch({}, '"4"'))).toEqual([404, 'not_found']);
    await proveLog(table);
  });

  it.each(['1', 'W/"1"', '"1", "2"', '"x"', '""', '"-1"', '"99999999999999999999"', '"1" '.repeat(3)])(
    '%s is no ETag of ours: 400',
    async (value) => {
      const row = await add(at.table, {});
      expect(refusal(await owner.patch(path(at.table, row.id), { fields: {} }, { 'if-match': value }))).toEqual([
        400,
        'bad_request',
      ]);
    },
  );

  it('lets exactly one of many through, on two nodes', async () => {
    const table = await newTable();
    const row = await add(table, {});
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        node(i).patch(path(table, row.id), { fields: { qty: i } }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, ...Array<number>(19).fill(412)]);
    expect((await list(table)).data).toMatchObject([{ version: 2 }]);
    await proveLog(table);
  });
});

describe('a list of rows', () => {
  let table: Table;
  const NAMES = ['Acme', 'acme', 'Ärger', 'a%b', 'a_b', 'a, b', 'x"y', '\u{1F600}', '', 'Zoo'];
  beforeAll(async () => {
    table = await newTable();
    const ops = NAMES.map((name, i) => ({
      op: 'create',
      fields: {
        name,
        qty: i % 4 || null,
        amount: `${i}.50`,
        status: ['open', 'won', null][i % 3],
        due: `2026-11-${10 + i}`,
        seen: `2026-11-${10 + i}T12:00:00Z`,
      },
    }));
    expectStatus(await bulk(table, ops), 200);
  });
  const names = ({ data }: Page) => data.map(({ fields }) => fields.name);
  const filtered = async (text: string) => names(await list(table, `filter=${encodeURIComponent(text)}`)).toSorted();

  it('is filtered, by URL and by body alike', async () => {
    const cases: [string, object, string[]][] = [
      ['name.eq.acme', { field: 'name', op: 'eq', value: 'acme' }, ['acme']],
      ['name.contains.ACM', { field: 'name', op: 'contains', value: 'ACM' }, ['Acme', 'acme']],
      ['name.contains.%', { field: 'name', op: 'contains', value: '%' }, ['a%b']],
      ['name.contains._', { field: 'name', op: 'contains', value: '_' }, ['a_b']],
      ['name.eq."a, b"', { field: 'name', op: 'eq', value: 'a, b' }, ['a, b']],
      ['name.eq."x\\"y"', { field: 'name', op: 'eq', value: 'x"y' }, ['x"y']],
      ['name.startsWith.äR', { field: 'name', op: 'startsWith', value: 'äR' }, ['Ärger']],
      ['name.isEmpty', { field: 'name', op: 'isEmpty' }, ['']],
      [
        'and(qty.gte.2,not(status.eq.Won))',
        { and: [{ field: 'qty', op: 'gte', value: 2 }, { not: { field: 'status', op: 'eq', value: 'Won' } }] },
        ['Ärger', 'a%b', 'x"y'],
      ],
      ['qty.isNull', { field: 'qty', op: 'isNull' }, ['Acme', 'a_b', '']],
      ['amount.between.(1,"2.50")', { field: 'amount', op: 'between', value: [1, '2.50'] }, ['acme', 'Ärger']],
      ['due.on.2026-11-12', { field: 'due', op: 'on', value: '2026-11-12' }, ['Ärger']],
      ['seen.before.2026-11-11', { field: 'seen', op: 'before', value: '2026-11-11' }, ['Acme']],
      ['seen.after.2026-11-18', { field: 'seen', op: 'after', value: '2026-11-18' }, ['Zoo']],
      ['qty.gt.{amount}', { field: 'qty', op: 'gt', valueField: 'amount' }, []],
    ];
    for (const [text, filter, expected] of cases) {
      expect([text, await filtered(text)]).toEqual([text, expected.toSorted()]);
      const answer = await owner.post<Page>(path(table, 'query'), { filter });
      expect([text, names(expectStatus(answer, 200)).toSorted()]).toEqual([text, expected.toSorted()]);
    }
  });

  it('is sorted, null first, by code point, by the order of choices', async () => {
    expect(names(await list(table, 'sort=name'))).toEqual([
      '',
      'Acme',
      'Zoo',
      'a%b',
      'a, b',
      'a_b',
      'acme',
      'x"y',
      'Ärger',
      '\u{1F600}',
    ]);
    expect(names(await list(table, 'sort=-name'))).toEqual(
      ['', 'Acme', 'Zoo', 'a%b', 'a, b', 'a_b', 'acme', 'x"y', 'Ärger', '\u{1F600}'].toReversed(),
    );
    const { data } = await list(table, 'sort=status,-qty,name');
    expect(data.map(({ fields: { status, qty, name } }) => `${String(status)} ${String(qty)} ${String(name)}`)).toEqual([
      'null 2 Ärger', 'null 1 a, b', 'null null ', 'open 3 a%b', 'open 2 x"y', 'open 1 Zoo', 'open null Acme', 'won 3 \u{1F600}', 'won 1 acme', 'won null a_b',
    ]); // prettier-ignore
  });

  it('comes in pages that end, by URL and by body', async () => {
    for (const query of ['', 'sort=qty', 'sort=-status,name', 'filter=qty.isNotNull&sort=-qty']) {
      const whole = names(await list(table, query));
      const found: unknown[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const page: Page = await list(table, `${query}&limit=3${cursor && `&cursor=${cursor}`}`);
        expect(page.page.limit).toBe(3);
        found.push(...names(page));
        cursor = page.page.nextCursor;
      }
      expect(found).toEqual(whole);
    }
    const first = expectStatus(
      await owner.post<Page>(path(table, 'query'), { sort: [{ field: 'name', dir: 'desc' }], page: { limit: 9 } }),
      200,
    );
    const last = expectStatus(
      await owner.post<Page>(path(table, 'query'), {
        sort: [{ field: 'name', dir: 'desc' }],
        page: { limit: 9, cursor: first.page.nextCursor },
      }),
      200,
    );
    expect([names(last), last.page]).toEqual([[''], { limit: 9 }]);
  });

  it('has the fields asked for, counts when asked, and tells where the stream stands', async () => {
    const page = await list(table, 'fields=qty,name&limit=1&count=exact&filter=qty.isNotNull');
    expect(page).toMatchObject({
      data: [{ fields: { name: 'acme', qty: 1 } }],
      count: { mode: 'exact', value: 7, relation: 'exact' },
      meta: { schemaVersion: 1, seq: 1 },
    });
    expect(Object.keys(page.data[0]?.fields ?? {})).toEqual(['name', 'qty']);
    expect(page.meta.epoch).toMatch(/^[0-9a-f-]{36}$/);
    expect((await list(table, 'count=bounded')).count).toEqual({ mode: 'bounded', value: 10, relation: 'exact' });
    expect((await list(table, 'count=estimated')).count).toMatchObject({ mode: 'estimated', relation: 'estimate' });
    expect('count' in (await list(table))).toBe(false);
    expect((await list(table, 'limit=5000')).page.limit).toBe(1000);
    expect((await list(table)).page.limit).toBe(50);
  });

  it.each([
    ['limit=0', 422, '/limit min'], ['limit=-1', 422, '/limit min'], ['limit=ten', 422, '/limit min'], ['limit=1.5', 422, '/limit min'],
    ['filter=', 400, '/filter invalid_syntax'], ['filter=and()', 400, '/filter invalid_syntax'], ['filter=nope.eq.1', 422, '/filter unknown_field'],
    ['filter=name.like.1', 422, '/filter unknown_operator'], ['sort=nope', 422, '/sort/0 unknown_field'], ['sort=name,name', 422, '/sort/1 duplicate_key'],
    ['sort=', 422, '/sort empty_name'], ['sort=name,,qty', 422, '/sort empty_name'], ['fields=nope', 422, '/fields unknown_field'], ['fields=', 422, '/fields empty_name'],
    ['count=all', 422, '/count is_in'], ['cursor=abc', 400, undefined], ['cursor=', 400, undefined], ['colour=red', 422, '/colour unknown_property'], ['sort=name&sort=qty', 422, '/sort max_length'],
    ['filter[and]=x', 422, '/filter[and] unknown_property'], ['filter=name.eq.%00', 422, '/filter nul_character'], ['search=x', 422, '/search unknown_property'],
  ])('refuses ?%s: %d', async (query, status, finding) => {
    const [got, , ...findings] = refusal(await owner.get(`${path(table)}?${query}`));
    expect([got, findings[0]]).toEqual([status, finding]);
  }); // prettier-ignore

  it.each<[unknown, string]>([
    [{ filter: {} }, '/filter field_missing'], [{ filter: { and: [] } }, '/filter/and empty_group'], [{ filter: 'name.isNull' }, '/filter not_a_filter'], [{ filter: [] }, '/filter not_a_filter'],
    [{ filter: { and: [{ field: 'x', op: 'isNull' }] } }, '/filter/and/0/field unknown_field'], [{ sort: 'name' }, '/sort is_array'], [{ sort: [{ field: 'name', dir: 'up' }] }, '/sort/0/dir is_in'],
    [{ sort: [{ field: 'name', nulls: 'last' }] }, '/sort/0/nulls unknown_property'], [{ sort: [{}] }, '/sort/0/field is_string'], [{ page: { limit: 0 } }, '/page/limit min'], [{ page: { limit: '5' } }, '/page/limit min'],
    [{ page: { offset: 5 } }, '/page/offset unknown_property'], [{ page: { cursor: 5 } }, '/page/cursor is_string'], [{ fields: 'name' }, '/fields is_array'], [{ fields: [1] }, '/fields/0 is_string'], [{ limit: 5 }, '/limit unknown_property'],
    [{ count: 'all' }, '/count is_in'], [{ where: {} }, '/where unknown_property'],
  ])('refuses a body of %j', async (body, finding) => {
    expect(refusal(await owner.post(path(table, 'query'), body)).slice(0, 3)).toEqual([422, expect.any(String), finding]);
  }); // prettier-ignore

  it('refuses a cursor of another filter, sort or table', async () => {
    const { page } = await list(table, 'sort=qty&limit=2');
    const second = await newTable();
    for (const url of [
      `${path(table)}?sort=-qty`,
      `${path(table)}?sort=qty&filter=qty.gt.1`,
      `${path(second)}?sort=qty`,
      `${path(table)}?limit=2`,
    ])
      expect(refusal(await owner.get(`${url}${url.includes('?') ? '&' : '?'}cursor=${page.nextCursor}`))).toEqual([
        400,
        'cursor_mismatch',
      ]);
    expect(names(await list(table, `sort=qty&limit=1&fields=name&cursor=${page.nextCursor}`))).toHaveLength(1);
  });

  it('takes null for no filter', async () => {
    expect(names(expectStatus(await owner.post<Page>(path(table, 'query'), { filter: null }), 200))).toHaveLength(10);
  });

  it('goes on behind a row with a long text, asked by a body, since a URL cannot be that long', async () => {
    const long = await newTable([{ name: 'Text', type: 'text' }]);
    for (const n of [1, 2, 3])
      expectStatus(await owner.post(path(long), { fields: { text: `${'long '.repeat(2_000)}${n}` } }), 201);
    const sort = [{ field: 'text' }];
    const first = expectStatus(await owner.post<Page>(path(long, 'query'), { sort, page: { limit: 2 } }), 200);
    const { nextCursor: cursor = '' } = first.page;
    const second = await owner.post<Page>(path(long, 'query'), { sort, page: { limit: 2, cursor } });
    expect(expectStatus(second, 200).data).toHaveLength(1);
    expect(refusal(await owner.get(`${path(long)}?sort=text&cursor=${cursor}`))).toEqual([
      422,
      'validation_failed',
      '/cursor max_length',
    ]);
  });
});

describe('bulk', () => {
  it('creates, changes, upserts and deletes in one transaction under one number, and answers in order', async () => {
    const table = await newTable();
    const [a, b, c] = [
      await add(table, { code: 'a' }),
      await add(table, { code: 'b' }),
      await add(table, { code: 'c', qty: 7 }),
    ];
    const answer = await bulk(
      table,
      [
        { op: 'create', ref: 'new', fields: { name: 'n', code: 'd' } },
        { op: 'update', id: a.id, version: 1, fields: { qty: 5 } },
        { op: 'upsert', ref: '', matchOn: ['code'], fields: { code: 'b', qty: 6 } },
        { op: 'upsert', matchOn: ['code', 'name'], fields: { code: 'e', name: 'made' } },
        { op: 'delete', id: c.id },
        { op: 'update', id: a.id.replace(/.$/, a.id.endsWith('0') ? '1' : '0'), fields: {} },
      ].slice(0, 5),
    );
    const { summary, results, meta } = expectStatus(answer, 200);
    expect(summary).toEqual({ total: 5, ok: 5, failed: 0 });
    expect([meta.seq, seq(answer)]).toEqual([4, 4]);
    expect(results).toMatchObject([
      { index: 0, ref: 'new', status: 201, row: { version: 1, fields: { code: 'd' } } },
      { index: 1, status: 200, id: a.id, row: { version: 2, fields: { qty: 5 } } },
      { index: 2, ref: '', status: 200, id: b.id, row: { version: 2, fields: { code: 'b', qty: 6, name: 'x' } } },
      { index: 3, status: 201, row: { version: 1, fields: { code: 'e', name: 'made' } } },
      { index: 4, status: 204, id: c.id },
    ]);
    expect('row' in (results[4] ?? {})).toBe(false);
    const changes = await loggedChanges(app.config.miniDb, table);
    expect(changes.filter((change) => change.seq === 4)).toHaveLength(5);
    await proveLog(table);
  });

  it('that is atomic and has bad ops writes nothing and lists them all', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'taken' });
    const gone = randomUUID();
    const before = (await list(table)).meta.seq;
    const answer = await bulk(table, [
      { op: 'create', fields: { name: 'fine' } },
      { op: 'create', fields: { name: 7, qty: 'x' } },
      { op: 'update', id: gone, fields: { qty: 1 } },
      { op: 'update', id: row.id, version: 9, fields: { qty: 1 } },
      { op: 'delete', id: 'not an id' },
      { op: 'explode' },
      'nonsense',
      { op: 'create', fields: {}, colour: 'red' },
      { op: 'upsert', matchOn: ['nope'], fields: { name: 'x' } },
      { op: 'upsert', matchOn: ['code'], fields: { name: 'x' } },
      { op: 'create', fields: { name: 'x', code: 'taken' } },
    ]);
    expect(refusal(answer)).toEqual([
      422, 'bulk_failed', '/ops/1/fields/name not_text', '/ops/1/fields/qty not_an_integer', '/ops/2/id not_found', '/ops/3/version version_mismatch', '/ops/4/id is_id',
      '/ops/5/op is_in', '/ops/6 is_object', '/ops/7/colour unknown_property', '/ops/7/fields/name required', '/ops/8/matchOn/0 unknown_field', '/ops/9/fields/code match_missing',
      '/ops/10/fields/code unique_violation',
    ]); // prettier-ignore
    const after = await list(table);
    expect([after.meta.seq, after.data]).toEqual([before, [row]]);
    await proveLog(table);
  });

  it('that is partial does what can be done, and says of each op how it ended', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'taken', qty: 1 });
    const { summary, results, meta } = expectStatus(
      await bulk(
        table,
        [
          { op: 'create', fields: { name: 'fine', code: 'free' } },
          { op: 'create', ref: 'r', fields: { name: null } },
          { op: 'create', fields: { name: 'clash', code: 'taken' } },
          { op: 'update', id: row.id, fields: { qty: 1 } },
          { op: 'update', id: randomUUID(), fields: { qty: 1 } },
          { op: 'create', fields: { name: 'clash in the call', code: 'free' } },
        ],
        'partial',
      ),
      200,
    );
    expect(summary).toEqual({ total: 6, ok: 2, failed: 4 });
    expect(results.map(({ status, error }) => [status, error?.code])).toEqual([
      [201, undefined],
      [422, 'validation_failed'],
      [409, 'unique_violation'],
      [200, undefined],
      [404, 'not_found'],
      [409, 'unique_violation'],
    ]);
    expect(results[1]).toMatchObject({
      ref: 'r',
      error: { errors: [{ pointer: '/ops/1/fields/name', code: 'required' }] },
    });
    expect([meta.seq, (await list(table)).data.length]).toEqual([2, 2]);
    // All of them bad: nothing written, still an answer.
    const none = expectStatus(await bulk(table, [{ op: 'delete', id: randomUUID() }], 'partial'), 200);
    expect([none.summary, none.meta.seq]).toEqual([{ total: 1, ok: 0, failed: 1 }, 2]);
    await proveLog(table);
  });

  it.each<[unknown, string]>([
    [{}, '/ops'], [{ ops: [] }, '/ops'], [{ ops: {} }, '/ops'], [{ ops: Array(1001).fill({ op: 'create', fields: {} }) }, '/ops'], [{ ops: [{ op: 'create', fields: {} }], mode: 'maybe' }, '/mode'],
    [{ ops: [{ op: 'create', fields: {} }], extra: 1 }, '/extra'], [[], ''],
  ])('refuses a body that is no bulk call: %#', async (body, pointer) => {
    const answer = await owner.post<ProblemBody>(path(at.table, 'bulk'), body);
    expect(refusal(answer).slice(0, 2)).toEqual([422, 'validation_failed']);
    expect(answer.body.errors?.[0]?.pointer).toBe(pointer);
  }); // prettier-ignore

  it('refuses a row twice in one call, and takes 1,000 ops', async () => {
    const table = await newTable();
    const row = await add(table, {});
    expect(
      refusal(
        await bulk(table, [
          { op: 'update', id: row.id, fields: { qty: 1 } },
          { op: 'delete', id: row.id },
        ]),
      ),
    ).toEqual([422, 'bulk_failed', '/ops/1/id duplicate_row']);
    const { summary, results } = expectStatus(
      await bulk(
        table,
        Array.from({ length: 1000 }, (_, i) => ({ op: 'create', fields: { name: `n${i}`, qty: i } })),
      ),
      200,
    );
    expect(summary).toEqual({ total: 1000, ok: 1000, failed: 0 });
    expect(results.map(({ row: made }) => made?.fields.qty)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const changed = expectStatus(
      await bulk(
        table,
        results.map(({ id }, i) =>
          i % 2 ? { op: 'delete', id } : { op: 'update', id, version: 1, fields: { qty: -i } },
        ),
      ),
      200,
    );
    expect([changed.summary.ok, changed.meta.seq, (await list(table, 'count=exact&limit=1')).count?.value]).toEqual([
      1000, 3, 501,
    ]);
    await proveLog(table);
  });

  it('refuses a body beyond 4 MiB, and takes one just below', async () => {
    const table = await newTable();
    const ops = (bytes: number) =>
      Array.from({ length: 40 }, () => ({ op: 'create', fields: { name: 'x', notes: 'n'.repeat(bytes / 40) } }));
    expectStatus(await bulk(table, ops(4_000_000)), 200);
    const tooLarge = await bulk(table, ops(4_300_000)).catch((error: unknown) => error);
    if (!(tooLarge instanceof Error)) expect(refusal(tooLarge as Answer<unknown>)).toEqual([413, 'payload_too_large']);
    expect((await list(table, 'count=exact&limit=1&fields=name')).count?.value).toBe(40);
  });

  it('upserts of one key from 20 callers on two nodes make one row', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const keys = ['k1', 'k2'];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        node(i).post<Bulk>(path(table, 'bulk'), {
          ops: (i % 4 < 2 ? keys : keys.toReversed()).map((key) => ({
            op: 'upsert',
            matchOn: ['notes'],
            fields: { notes: key, name: key, qty: i },
          })),
        }),
      ),
    );
    for (const answer of answers) expect(answer.status).toBe(200);
    const { data } = await list(table);
    expect(data.map(({ fields }) => fields.notes).toSorted()).toEqual(keys);
    expect(data.map(({ version }) => version)).toEqual([20, 20]);
    expect(answers.flatMap((answer) => answer.body.results).filter(({ status }) => status === 201)).toHaveLength(2);
    await proveLog(table);
  });

  it('upsert names the call that matches several rows', async () => {
    const table = await newTable();
    for (const qty of [1, 2]) await add(table, { notes: 'same', qty });
    const ops = [{ op: 'upsert', matchOn: ['notes'], fields: { notes: 'same', name: 'x' } }];
    expect(refusal(await bulk(table, ops))).toEqual([422, 'bulk_failed', '/ops/0/matchOn upsert_ambiguous']);
    expect(expectStatus(await bulk(table, ops, 'partial'), 200).results).toMatchObject([
      { status: 409, error: { code: 'upsert_ambiguous' } },
    ]);
  });
});

describe('unique values', () => {
  it('clash with a 409 that names the column, and are free again when their row is deleted', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'one' });
    const second = await add(table, { code: 'two' });
    const clash = [409, 'unique_violation', '/fields/code unique_violation'];
    expect(refusal(await owner.post(path(table), { fields: { name: 'x', code: 'one' } }))).toEqual(clash);
    expect(refusal(await owner.patch(path(table, second.id), { fields: { code: 'one' } }))).toEqual(clash);
    expectStatus(await owner.patch(path(table, row.id), { fields: { code: 'one', qty: 2 } }), 200);
    for (const code of [null, null, 'ONE']) await add(table, { code });
    expectStatus(await owner.del(path(table, row.id)), 204);
    expectStatus(await owner.patch(path(table, second.id), { fields: { code: 'one' } }), 200);
    await proveLog(table);
  });

  it('let one of many through at once, on two nodes, and every other row of the same moment too', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        node(i).post(path(table), { fields: { name: `n${i}`, code: i % 2 ? 'same' : `own ${i}` } }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(21);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(19);
    await proveLog(table);
  });
});
