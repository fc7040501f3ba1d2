import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  client,
  expectStatus,
  sql,
  startApp,
  world,
  type Answer,
  type ProblemBody,
  type Row,
  type TestApp,
  type World,
} from '../harness/index.js';
import { arbitrary, fuzz, printFilter, table as tableOf, column as columnOf } from '../query/index.js';

let app: TestApp;
let mine: World;
let theirs: World;
let row: Row;
let theirRow: Row;
beforeAll(async () => {
  app = await startApp();
  [mine, theirs] = [await world(app.base), await world(app.base)];
  [row, theirRow] = (await Promise.all(
    [mine, theirs].map(async ({ owner, table }) =>
      expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: 'there' } }), 201),
    ),
  )) as [Row, Row];
}, 60_000);

/** Everything that a write could have left, anywhere. */
async function written(): Promise<unknown> {
  const main = ['workspaces', 'bases', 'tables', 'columns', 'audit_log', 'users'];
  const counts = await sql(
    app.config.mainDb,
    `select ${main.map((name) => `(select count(*) from ${name}) as ${name}`).join(', ')}`,
  );
  const streams = await Promise.all(
    [mine, theirs].map(({ table }) =>
      sql(app.config.miniDb, `select table_id, seq, schema_version from "${table.physical.schema}"._stream`),
    ),
  );
  const schemas = await sql(app.config.miniDb, 'select nspname from pg_namespace order by 1');
  return { counts, streams, schemas };
}

const isProblem = ({ status, headers, body }: Answer<unknown>): boolean =>
  status >= 400 &&
  status < 500 &&
  (headers.get('content-type') ?? '').startsWith('application/problem+json') &&
  (body as ProblemBody).status === status &&
  typeof (body as ProblemBody).code === 'string';

/** Every write and query of the mini-DB, with a body that would be accepted. */
const ROUTES = () => {
  const { table, base, workspace } = mine;
  const field = table.columns[0]?.id ?? '';
  return [
    ['POST', `/workspaces/${workspace.id}/bases`, { name: 'New' }],
    ['PATCH', `/bases/${base.id}`, { name: 'Renamed', description: 'x' }],
    [
      'POST',
      `/bases/${base.id}/tables`,
      { name: 'New', columns: [{ name: 'A', type: 'decimal', options: { scale: 2 } }] },
    ],
    ['PATCH', `/tables/${table.id}`, { name: 'Renamed' }],
    [
      'POST',
      `/tables/${table.id}/columns`,
      { name: 'New', type: 'single_select', options: { choices: [{ label: 'A' }] } },
    ],
    ['PATCH', `/tables/${table.id}/columns/${field}`, { name: 'Renamed' }],
    ['POST', `/tables/${table.id}/rows`, { fields: { name: 'x', qty: 1 } }],
    ['PATCH', `/tables/${table.id}/rows/${row.id}`, { fields: { qty: 1 } }],
    ['POST', `/tables/${table.id}/rows/bulk`, { ops: [{ op: 'create', fields: { name: 'x' } }] }],
    [
      'POST',
      `/tables/${table.id}/rows/query`,
      { filter: { field: 'qty', op: 'eq', value: 1 }, sort: [{ field: 'qty' }], page: { limit: 5 } },
    ],
  ] as const;
};

const send = (method: string, path: string, body: unknown) =>
  mine.owner.call(method, path, typeof body === 'string' ? body : JSON.stringify(body), {
    'content-type': 'application/json',
  });

describe('what no route takes', () => {
  it.each([
    ['malformed JSON', (body: object) => JSON.stringify(body).slice(0, -1)],
    ['two values', (body: object) => JSON.stringify(body).repeat(2)],
    ['no UTF-8', () => Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a list', (body: object) => [body]],
    ['null', () => 'null'],
    ['a text', () => '"x"'],
    ['a number', () => '7'],
    ['an unknown property', (body: object) => ({ ...body, zzz: 1 })],
    ['__proto__', (body: object) => JSON.stringify(body).replace('{', '{"__proto__":{"admin":true},')],
    ['constructor', (body: object) => ({ ...body, constructor: { prototype: { admin: true } } })],
    ['toString', (body: object) => ({ ...body, toString: 1 })],
    ['the id of somebody', (body: object) => ({ ...body, workspaceId: theirs.workspace.id })],
    ['depth', (body: object) => `${'{"a":'.repeat(5_000)}${JSON.stringify(body)}${'}'.repeat(5_000)}`],
    ['other values', (body: object) => Object.fromEntries(Object.keys(body).map((key) => [key, 7]))],
  ])('%s: a problem document, and nothing is written', async (_, spoil) => {
    const before = await written();
    for (const [method, path, body] of ROUTES()) {
      const spoilt = spoil(body);
      const answer = Buffer.isBuffer(spoilt)
        ? await mine.owner.call(method, path, spoilt, { 'content-type': 'application/json' })
        : await send(method, path, spoilt);
      if (!isProblem(answer)) throw new Error(`${method} ${path} ${answer.status} ${answer.text}`);
    }
    expect(await written()).toEqual(before);
  });

  it('another media type, an encoding, a body beyond the limit', async () => {
    const before = await written();
    for (const [method, path, body] of ROUTES()) {
      const text = JSON.stringify(body);
      const json = { 'content-type': 'application/json' };
      const others: Readonly<Record<string, string>>[] = [
        { 'content-type': 'text/plain' },
        { ...json, 'content-encoding': 'gzip' },
      ];
      for (const headers of others) expect((await mine.owner.call(method, path, text, headers)).status).toBe(415);
      const large = await send(method, path, { ...body, pad: 'x'.repeat(6 * 1024 * 1024) }).catch(() => undefined);
      // Either the answer arrives, or the connection is cut before all of it was taken in.
      if (large) expect([large.status, isProblem(large)]).toEqual([413, true]);
    }
    expect(await written()).toEqual(before);
  });

  it('ids of another workspace, in the path and in the body', async () => {
    const before = await written();
    const paths = [
      theirs.workspace.id,
      theirs.base.id,
      theirs.table.id,
      theirs.table.columns[0]?.id ?? '',
      theirRow.id,
    ];
    const own = [mine.workspace.id, mine.base.id, mine.table.id, mine.table.columns[0]?.id ?? '', row.id];
    for (const [method, path, body] of ROUTES()) {
      const foreign = own.reduce((text, id, i) => text.replace(id, paths[i] ?? ''), path);
      expect([path, (await send(method, foreign, body)).status]).toEqual([path, 404]);
    }
    const { id } = mine.table;
    expect((await mine.owner.get(`/tables/${id}/rows/${theirRow.id}`)).status).toBe(404);
    expect((await mine.owner.patch(`/tables/${id}/rows/${theirRow.id}`, { fields: {} })).status).toBe(404);
    expect((await mine.owner.del(`/tables/${id}/rows/${theirRow.id}`)).status).toBe(404);
    expect((await mine.owner.patch(`/tables/${id}/columns/${theirs.table.columns[0]?.id}`, { name: 'x' })).status).toBe(
      404,
    );
    for (const op of [
      { op: 'update', id: theirRow.id, fields: {} },
      { op: 'delete', id: theirRow.id },
    ])
      expect(await mine.owner.post(`/tables/${id}/rows/bulk`, { ops: [op] })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '/ops/0/id', code: 'not_found' }] },
      });
    expect(await written()).toEqual(before);
  });

  it('ids that are none', async () => {
    for (const id of [
      '0',
      'null',
      '%00',
      '..',
      '%2e%2e',
      "'",
      randomUUID(),
      randomUUID().toUpperCase(),
      'x'.repeat(500),
      '\u{1F600}',
      mine.table.id.slice(0, -1),
    ]) {
      for (const path of [
        `/tables/${id}`,
        `/tables/${id}/rows`,
        `/tables/${mine.table.id}/rows/${id}`,
        `/bases/${id}`,
        `/workspaces/${id}/bases`,
      ]) {
        const answer = await mine.owner.get(path);
        expect([path, [400, 404].includes(answer.status), isProblem(answer)]).toEqual([path, true, true]);
      }
    }
  });
});

/** Replaces one value somewhere inside by another, or adds one. */
const mutated = (body: object): fc.Arbitrary<unknown> => {
  const places: (readonly (string | number)[])[] = [];
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    places.push(path);
    if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) visit(item, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  visit(body, []);
  const set = (value: unknown, [head, ...rest]: readonly (string | number)[], by: unknown): unknown => {
    if (head === undefined) return by;
    if (Array.isArray(value)) return value.map((item: unknown, i) => (i === head ? set(item, rest, by) : item));
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [
        key,
        key === head ? set(item, rest, by) : (item as unknown),
      ]),
    );
  };
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      null,
      '',
      '\0',
      '\ud800',
      '\u{1F600}',
      "'; drop table x; --",
      1e308,
      -0,
      2 ** 53,
      [],
      {},
      [[]],
      [null],
      { $now: true },
      { $me: true },
      'a'.repeat(5_000),
      true,
    ),
  );
  return fc.tuple(fc.constantFrom(...places), hostile).map(([path, by]) => set(body, path, by));
};

describe('any body', () => {
  it('gets an answer below 500, whatever it holds', async () => {
    for (const [method, path, body] of ROUTES()) {
      await fc.assert(
        fc.asyncProperty(mutated(body), async (hostile) => {
          const answer = await send(method, path, hostile);
          if (answer.status >= 400 ? !isProblem(answer) : answer.status >= 300)
            throw new Error(`${answer.status} ${answer.text}`);
        }),
        fuzz(40),
      );
    }
  }, 60_000);

  it('with any filter and sort in a URL too', async () => {
    const made = tableOf([
      columnOf('name', 'text'),
      columnOf('qty', 'integer'),
      columnOf('due', 'date'),
      columnOf('seen', 'datetime'),
      columnOf('amount', 'decimal'),
    ]);
    const noise = fc.string({ unit: 'binary', maxLength: 40 });
    const text = fc.oneof(
      arbitrary.filter(made).map((filter) => printFilter(filter, true)),
      noise,
      fc.tuple(arbitrary.filter(made), noise).map(([filter, more]) => printFilter(filter, false) + more),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.oneof(noise, fc.constant('-qty,name')), async (filter, sort) => {
        const answer = await mine.owner.get(
          `/tables/${mine.table.id}/rows?${new URLSearchParams({ filter: filter.toWellFormed(), sort: sort.toWellFormed() }).toString()}`,
        );
        if (answer.status >= 400 ? !isProblem(answer) : answer.status !== 200)
          throw new Error(`${answer.status} ${answer.text}`);
      }),
      fuzz(200),
    );
  }, 60_000);

  it('and the server lives, with its log in order', async () => {
    expect((await client(app.base).get('/health')).status).toBe(200);
    expectStatus(await mine.owner.get(`/tables/${mine.table.id}/rows`), 200);
  });
});
