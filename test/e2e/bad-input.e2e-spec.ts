import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  expectStatus,
  startApp,
  world,
  type Answer,
  type ProblemBody,
  type Row,
  type Table,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

let acme: World;
beforeAll(async () => {
  const { base } = await startApp();
  acme = await world(base, {
    columns: [
      { name: 'Name', type: 'text', required: true },
      { name: 'Email', type: 'text', unique: true },
      { name: 'Rate', type: 'decimal', unique: true },
      { name: 'Code', type: 'integer', unique: true },
    ],
  });
});

const findings = (answer: Answer<unknown>) => [
  answer.status,
  ...((answer.body as ProblemBody).errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`),
];
const rows = () => `/tables/${acme.table.id}/rows`;
const post = (path: string, body: unknown) => acme.owner.post(path, body);
const newRow = async (fields: object) => expectStatus(await post(rows(), { fields }), 201) as Row;

interface BulkAnswer {
  readonly results: readonly {
    readonly index: number;
    readonly status: number;
    readonly error?: { readonly errors: readonly { readonly pointer: string; readonly code: string }[] };
  }[];
}

describe('text that PostgreSQL cannot keep', () => {
  const places: [string, (description: unknown) => Promise<Answer<unknown>>][] = [
    ['a new base', (description) => post(`/workspaces/${acme.workspace.id}/bases`, { name: 'B', description })],
    ['a base', (description) => acme.owner.patch(`/bases/${acme.base.id}`, { description })],
    ['a new table', (description) => post(`/bases/${acme.base.id}/tables`, { name: 'T', description })],
    ['a table', (description) => acme.owner.patch(`/tables/${acme.table.id}`, { description })],
  ];

  it.each(places)('is refused as the description of %s', async (_what, send) => {
    for (const text of ['a\0b', '\ud800', 'x'.repeat(10_001), 7, ['a'], { a: 1 }])
      expect(findings(await send(text))).toEqual([422, '/description is_text']);
  });
});

describe('the columns of a new table', () => {
  it.each<[unknown, string]>([
    [[[]], '/columns is_object'],
    [[null], '/columns is_object'],
    [['name'], '/columns is_object'],
    [{}, '/columns is_array'],
    [null, '/columns is_array'],
    [[{ name: 'A', type: 'text', options: { constructor: 1 } }], '/columns/0/options/constructor unknown_property'],
    [[{ name: 'A', type: 'text', toString: 1 }], '/columns/0/toString unknown_property'],
  ])('%j is refused', async (columns, finding) => {
    expect(findings(await post(`/bases/${acme.base.id}/tables`, { name: 'Never', columns }))).toEqual([422, finding]);
  });

  it('have labels of choices that are names', async () => {
    const choices = (...labels: string[]) => ({
      name: 'Choice',
      type: 'single_select',
      options: { choices: labels.map((label) => ({ label })) },
    });
    const columns = `/tables/${acme.table.id}/columns`;
    for (const label of ['a\nb', 'a\u0085b', 'x'.repeat(256)])
      expect(findings(await post(columns, choices(label)))).toEqual([422, '/options invalid_option']);
    expect(findings(await post(columns, choices('ﬁle', 'FILE')))).toEqual([422, '/options duplicate_choice']);
    expectStatus(await post(columns, choices('\u{1F600}'.repeat(255))), 201);
  });
});

describe('a new column', () => {
  it('whose default would be in several rows although it is unique is refused, and the table is as it was', async () => {
    await newRow({ name: 'one' });
    await newRow({ name: 'two' });
    const column = { name: 'Serial', type: 'text', unique: true, default: 'same' };
    for (const required of [false, true])
      expect(findings(await post(`/tables/${acme.table.id}/columns`, { ...column, required }))).toEqual([
        409,
        '/unique unique_violation',
      ]);
    const { columns } = expectStatus(await acme.owner.get<Table>(`/tables/${acme.table.id}`), 200);
    expect(columns.map(({ name }) => name)).not.toContain('Serial');
    await newRow({ name: 'still writable' });
  });
});

describe('a row', () => {
  it('with a number that JSON would round is refused at that number', async () => {
    const send = (text: string) =>
      acme.owner.call('POST', rows(), text, { 'content-type': 'application/json' }).then(findings);
    expect(await send('{"fields":{"name":"x","rate":0.1234567890123456789}}')).toEqual([
      422,
      '/fields/rate number_not_exact',
    ]);
    expect(await send('{"fields":{"name":"x","code":9007199254740991.4}}')).toEqual([
      422,
      '/fields/code number_not_exact',
    ]);
  });

  it('that is not there is a 404, whatever is wrong with the request to it', async () => {
    const nowhere = `${rows()}/01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11`;
    for (const body of [{ fields: { nope: 1 } }, { fields: 5 }, { other: 1 }, {}]) {
      expect(await acme.owner.patch(nowhere, body)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    const odd = await acme.owner.patch(nowhere, { fields: {} }, { 'if-match': 'seven' });
    expect(odd).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const { id } = await newRow({ name: 'there' });
    expect((await acme.owner.patch(`${rows()}/${id}`, { fields: { nope: 1 } })).status).toBe(422);
  });

  it('with a wrong value is not also told that there is none', async () => {
    expect(findings(await post(rows(), { fields: { name: 7 } }))).toEqual([422, '/fields/name not_text']);
  });

  it('with a unique value too long for an index is refused at that value, alone and in bulk', async () => {
    const email = Array.from({ length: 2_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join(
      '',
    );
    const bulk = { mode: 'partial', ops: [{ op: 'create', fields: { name: 'x', email } }] };
    expect(findings(await post(rows(), { fields: { name: 'x', email } }))).toEqual([422, '/fields/email too_long']);
    expect((expectStatus(await post(`${rows()}/bulk`, bulk), 200) as BulkAnswer).results).toMatchObject([
      { status: 422, error: { errors: [{ pointer: '/ops/0/fields/email', code: 'too_long' }] } },
    ]);
  });
});

it.each(['1', '"01"', '"-1"', '"1.5"', 'W/"1"', '"1", "2"', '""', '"2147483648"'])(
  'If-Match: %s is no version of a row',
  async (tag) => {
    const { id } = await newRow({ name: 'x' });
    const answer = await acme.owner.patch(`${rows()}/${id}`, { fields: { name: 'y' } }, { 'if-match': tag });
    expect([answer.status, (answer.body as ProblemBody).code]).toEqual([400, 'bad_request']);
  },
);

describe('a bulk call', () => {
  const bulk = (ops: readonly object[], mode = 'atomic') => post(`${rows()}/bulk`, { mode, ops });
  const create = (fields: object) => ({ op: 'create', fields: { name: 'x', ...fields } });
  const outcomes = async (ops: readonly object[]) =>
    (expectStatus(await bulk(ops, 'partial'), 200) as BulkAnswer).results.map(({ status, error }) =>
      [status, ...(error?.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)].join(' '),
    );

  it('that is atomic names every op that is wrong, whatever is wrong with it', async () => {
    await newRow({ name: 'taken', code: 100, email: 'taken@a' });
    const { id } = await newRow({ name: 'there' });
    const found = findings(
      await bulk([
        create({ code: 100 }),
        create({ code: 'x' }),
        { op: 'update', id, version: 77, fields: { name: 'y' } },
        { op: 'upsert', matchOn: ['email'], fields: { email: 'new@a' } },
        { op: 'upsert', matchOn: ['email'], fields: { email: 'taken@a', name: 'fine' } },
        create({ code: 101 }),
      ]),
    );
    expect(found).toEqual([
      422,
      '/ops/0/fields/code unique_violation',
      '/ops/1/fields/code not_an_integer',
      '/ops/2/version version_mismatch',
      '/ops/3/fields/name required',
    ]);
    expect(findings(await bulk([create({ code: 100 }), { op: 'delete', id, version: 77 }]))).toEqual([
      422,
      '/ops/0/fields/code unique_violation',
      '/ops/1/version version_mismatch',
    ]);
  });

  it('takes decimals as the same when they are equal, however they are written', async () => {
    const twice = [create({ rate: '9.0' }), create({ rate: '9.00' })];
    const upserts = ['8.0', '8.00'].map((rate) => ({
      op: 'upsert',
      matchOn: ['rate'],
      fields: { name: 'x', rate },
    }));
    expect(findings(await bulk(twice))).toEqual([422, '/ops/1/fields/rate unique_violation']);
    expect(findings(await bulk(upserts))).toEqual([422, '/ops/1 conflict']);
    expect(await outcomes([...twice, ...upserts, create({})])).toEqual([
      '201',
      '409 /ops/1/fields/rate unique_violation',
      '201',
      '409 /ops/3 conflict',
      '201',
    ]);
  });

  it('that is partial fails the ops with taken values only: also upserts, and not those whose value the call frees', async () => {
    const { id } = await newRow({ name: 'freed', code: 200 });
    await newRow({ name: 'other', code: 201 });
    await newRow({ name: 'upserted', email: 'u@a' });
    expect(
      await outcomes([
        { op: 'delete', id },
        create({ code: 200 }),
        create({ code: 201 }),
        { op: 'upsert', matchOn: ['email'], fields: { email: 'u@a', code: 201 } },
        create({ code: 202 }),
      ]),
    ).toEqual([
      '204',
      '201',
      '409 /ops/2/fields/code unique_violation',
      '409 /ops/3/fields/code unique_violation',
      '201',
    ]);
  });

  it('points at unknown members as JSON pointers do', async () => {
    expect(findings(await bulk([{ ...create({}), 'a~/b': 1 }]))).toEqual([422, '/ops/0/a~0~1b unknown_property']);
  });
});

it('a limit of any length is taken as the largest', async () => {
  expectStatus(await acme.owner.get(`${rows()}?limit=99999999999999999999`), 200);
});
