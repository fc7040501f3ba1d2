import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  member,
  signup,
  startApp,
  world,
  type Column,
  type Person,
  type ProblemBody,
  type Row,
  type Table,
  type World,
} from '../harness/index.js';

let at: World;
let owner: Person;
let editor: Person;
beforeAll(async () => {
  const app = await startApp();
  at = await world(app.base);
  ({ owner } = at);
  editor = await member(at, 'editor');
}, 60_000);

let made = 0;
const newTable = async (...columns: readonly object[]): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Types ${++made}`, columns }), 201);
const add = (table: Table, fields: object, who = owner) =>
  who.post<Row & ProblemBody>(`/tables/${table.id}/rows`, { fields });
const list = async (table: Table, query: string, who = owner): Promise<readonly Row[]> =>
  expectStatus(await who.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows?${query}`), 200).data;

const CHOICES = { choices: [{ label: 'Red' }, { label: 'Blue' }, { label: 'Green' }] };

describe('a cell', () => {
  it.each([
    ['currency', {}, '12.3', '12.30'],
    ['currency', { code: 'JPY', scale: 0 }, 1200, '1200'],
    ['percent', {}, 0.25, '0.25'],
    ['rating', { max: 10 }, 10, 10],
    ['duration', {}, '1:30', 5400],
    ['duration', { format: 'h:mm:ss' }, 59, 59],
    ['url', {}, ' https://example.org/a?b=c#d ', 'https://example.org/a?b=c#d'],
    ['email', {}, "o'neil+x@sub.example.org", "o'neil+x@sub.example.org"],
    ['phone', {}, '+49 (30) 123-456', '+49 (30) 123-456'],
    ['json', {}, { b: [1, null, 'é'], a: {} }, { b: [1, null, 'é'], a: {} }],
    ['json', {}, 'text', 'text'],
    ['json', {}, false, false],
    ['multi_select', CHOICES, ['blue', 'Red', 'blue'], ['blue', 'red']],
    ['multi_select', CHOICES, [], []],
    ['multi_select', CHOICES, null, []],
  ])('of %s %j given %j is %j', async (type, options, given, expected) => {
    const table = await newTable({ name: 'C', type, options });
    const row = expectStatus(await add(table, { c: given }), 201);
    expect(row.fields).toEqual({ c: expected });
    expect((await owner.get<Row>(`/tables/${table.id}/rows/${row.id}`)).body.fields).toEqual({ c: expected });
  });

  it.each([
    ['currency', {}, '12.345', 'too_many_digits'],
    ['percent', {}, 'a quarter', 'not_a_number'],
    ['rating', {}, 6, 'out_of_range'],
    ['rating', {}, 0, 'out_of_range'],
    ['duration', {}, '1:60', 'not_a_duration'],
    ['url', {}, 'javascript:alert(1)', 'not_a_url'],
    ['url', {}, 'JaVaScRiPt:alert(1)', 'not_a_url'],
    ['url', {}, 'data:text/html,x', 'not_a_url'],
    ['url', {}, 'https://example.org/\n', undefined],
    ['url', {}, 'https://exa\tmple.org', 'not_a_url'],
    ['email', {}, 'nobody', 'not_an_email'],
    ['phone', {}, 'call me', 'not_a_phone_number'],
    ['json', {}, 'a\0b', 'nul_character'],
    ['json', {}, { 'a\0b': 1 }, 'nul_character'],
    ['json', {}, 2 ** 60, 'out_of_range'],
    ['multi_select', CHOICES, ['yellow'], 'not_a_choice'],
    ['multi_select', CHOICES, [null], 'null_not_allowed'],
    ['multi_select', CHOICES, Array.from({ length: 10_001 }, () => 'red'), 'too_long'],
    ['user', {}, 'me', 'not_an_id'],
    ['attachment', {}, ['01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'], 'not_an_attachment'],
    ['autonumber', {}, 7, 'read_only'],
    ['created_at', {}, '2026-01-01T00:00:00Z', 'read_only'],
    ['created_by', {}, null, 'read_only'],
  ])('of %s %j refuses %j', async (type, options, given, code) => {
    const table = await newTable({ name: 'C', type, options });
    const answer = await add(table, { c: given });
    if (code === undefined) expect(answer.status).toBe(201);
    else {
      expect(answer.status).toBe(422);
      expect(answer.body.errors).toMatchObject([{ pointer: '/fields/c', code }]);
    }
    expect(await list(table, '')).toHaveLength(code === undefined ? 1 : 0);
  });

  it('of JSON nests only so deep, and says so', async () => {
    const table = await newTable({ name: 'C', type: 'json' });
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    expect((await add(table, { c: deep(60) })).status).toBe(201);
    // By the reader of bodies, before anybody knows that it is a cell.
    expect((await add(table, { c: deep(80) })).status).toBe(400);
  });
});

describe('people', () => {
  it('can be given as far as they are members; `me` is who writes, `@me` who asks', async () => {
    const table = await newTable(
      { name: 'Name', type: 'text' },
      { name: 'Who', type: 'user', default: 'me' },
      { name: 'Team', type: 'user', options: { multiple: true } },
      { name: 'By', type: 'created_by' },
    );
    const stranger = await signup(at.owner.base);
    for (const fields of [{ who: stranger.user.id }, { team: [owner.user.id, stranger.user.id] }]) {
      const refused = await add(table, fields);
      expect([refused.status, refused.body.errors?.[0]?.code]).toEqual([422, 'not_a_member']);
    }
    const mine = expectStatus(await add(table, { name: 'a', team: [editor.user.id, owner.user.id] }), 201);
    const theirs = expectStatus(await add(table, { name: 'b' }, editor), 201);
    expect(mine.fields).toMatchObject({ who: owner.user.id, team: [editor.user.id, owner.user.id], by: owner.user.id });
    expect(theirs.fields).toMatchObject({ who: editor.user.id, team: [], by: editor.user.id });
    const ids = (rows: readonly Row[]) => rows.map(({ id }) => id);
    expect(ids(await list(table, 'filter=who.eq.@me'))).toEqual([mine.id]);
    expect(ids(await list(table, 'filter=who.eq.@me', editor))).toEqual([theirs.id]);
    expect(ids(await list(table, 'filter=team.hasAny.(@me)', editor))).toEqual([mine.id]);
    expect(ids(await list(table, 'filter=by.neq.@me'))).toEqual([theirs.id]);
  });
});

describe('mail addresses', () => {
  it('are kept as they were written, and are the same in a unique column whatever their case', async () => {
    const table = await newTable({ name: 'Mail', type: 'email', unique: true }, { name: 'N', type: 'integer' });
    const row = expectStatus(await add(table, { mail: 'Ada@Example.org', n: 1 }), 201);
    expect(row.fields.mail).toBe('Ada@Example.org');
    const again = await add(table, { mail: 'ada@example.ORG' });
    expect([again.status, again.body.code]).toEqual([409, 'unique_violation']);
    const ops = [
      { op: 'upsert', matchOn: ['mail'], fields: { mail: 'ADA@example.org', n: 2 } },
      { op: 'create', fields: { mail: 'grace@example.org' } },
      { op: 'create', fields: { mail: 'Grace@example.org' } },
    ];
    const bulk = await owner.post<{ results: { status: number }[] }>(`/tables/${table.id}/rows/bulk`, {
      mode: 'partial',
      ops,
    });
    expect(expectStatus(bulk, 200).results.map(({ status }) => status)).toEqual([200, 201, 409]);
    expect((await list(table, 'filter=mail.eq.ADA@example.org')).map(({ id, fields }) => [id, fields.n])).toEqual([
      [row.id, 2],
    ]);
  });

  it('that differ in case only are in the way when their column is to become unique', async () => {
    const table = await newTable({ name: 'Mail', type: 'email' });
    for (const mail of ['ada@example.org', 'Ada@example.org', 'eve@example.org'])
      expectStatus(await add(table, { mail }), 201);
    const path = `/tables/${table.id}/columns/${table.columns[0]?.id ?? ''}`;
    const refused = await owner.patch<ProblemBody>(path, { unique: true });
    expect([refused.status, refused.body.code]).toEqual([409, 'rows_in_the_way']);
  });
});

describe('defaults', () => {
  it('of people are members of the workspace', async () => {
    const stranger = (await signup(owner.base)).user.id;
    const who = (initial: unknown) => ({ name: 'Who', type: 'user', default: initial });
    const refusal = (pointer: string) => ({ code: 'validation_failed', errors: [{ pointer, code: 'not_a_member' }] });
    const tables = `/bases/${at.base.id}/tables`;
    expect((await owner.post(tables, { name: 'Strange', columns: [who(stranger)] })).body).toMatchObject(
      refusal('/columns/0/default'),
    );
    const table = await newTable(who(editor.user.id));
    expect((await add(table, {})).body.fields).toEqual({ who: editor.user.id });
    const columns = `/tables/${table.id}/columns`;
    const team = { name: 'Team', type: 'user', options: { multiple: true }, default: [owner.user.id, stranger] };
    expect((await owner.post(columns, team)).body).toMatchObject(refusal('/default'));
    const changed = await owner.patch(`${columns}/${table.columns[0]?.id ?? ''}`, { default: stranger });
    expect(changed.body).toMatchObject(refusal('/default'));
    const template = { format: 'live-tables/template@1', name: 'T', tables: [{ name: 'A', columns: [who(stranger)] }] };
    const path = `/workspaces/${at.workspace.id}/bases/from-template`;
    expect((await owner.post(path, { template })).body).toMatchObject(refusal('/template/tables/0/columns/0/default'));
  });

  it('that name a moment are taken when the row is made', async () => {
    const table = await newTable(
      { name: 'Name', type: 'text' },
      { name: 'At', type: 'datetime', default: 'now' },
      { name: 'Day', type: 'date', default: 'now' },
      { name: 'Tags', type: 'multi_select', options: CHOICES, default: ['red'] },
    );
    const before = Date.now();
    const { fields } = expectStatus(await add(table, { name: 'x' }), 201);
    expect(Date.parse(String(fields.at))).toBeGreaterThanOrEqual(before - 1);
    expect(fields.day).toBe(String(fields.at).slice(0, 10));
    expect(fields.tags).toEqual(['red']);
    expect(expectStatus(await add(table, { at: null, tags: [] }), 201).fields).toMatchObject({ at: null, tags: [] });
  });

  it('of a column that is added fill the rows that are there, but for words', async () => {
    const table = await newTable({ name: 'Name', type: 'text' });
    const row = expectStatus(await add(table, { name: 'x' }), 201);
    for (const column of [
      { name: 'Tags', type: 'multi_select', options: CHOICES, default: ['blue'] },
      { name: 'At', type: 'date', default: 'now' },
      { name: 'No', type: 'autonumber' },
    ])
      expectStatus(await owner.post<Column>(`/tables/${table.id}/columns`, column), 201);
    const again = await owner.get<Row>(`/tables/${table.id}/rows/${row.id}`);
    expect(again.body.fields).toEqual({ name: 'x', tags: ['blue'], at: null, no: 1 });
  });
});

describe('columns', () => {
  it.each([
    [{ type: 'currency', options: { code: 'euro' } }],
    [{ type: 'rating', options: { max: 0 } }],
    [{ type: 'duration', options: { format: 'days' } }],
    [{ type: 'multi_select' }],
    [{ type: 'user', options: { multiple: 'yes' } }],
    [{ type: 'autonumber', required: true }],
    [{ type: 'created_at', default: 'now' }],
    [{ type: 'json', unique: true }],
    [{ type: 'multi_select', options: CHOICES, unique: true }],
    [{ type: 'user', options: { multiple: true }, unique: true }],
    [{ type: 'text', default: 'x', options: { scale: 2 } }],
  ])('such as %j are refused', async (column) => {
    const answer = await owner.post(`/bases/${at.base.id}/tables`, {
      name: `No ${++made}`,
      columns: [{ name: 'C', ...column }],
    });
    expect(answer.status).toBe(422);
  });

  it('show each of the times and people of a row once', async () => {
    const table = await newTable({ name: 'A', type: 'created_at' });
    const second = await owner.post(`/tables/${table.id}/columns`, { name: 'B', type: 'created_at' });
    expect(second.status).toBe(422);
    const row = expectStatus(await add(table, {}), 201);
    expect(row.fields.a).toBe(row.createdAt);
  });

  it('are sorted by their meaning, and some by none', async () => {
    const table = await newTable(
      { name: 'Tags', type: 'multi_select', options: CHOICES },
      { name: 'Stars', type: 'rating' },
      { name: 'Extra', type: 'json' },
    );
    const cells = [['green'], ['red', 'blue'], [], ['red'], ['blue', 'green']];
    for (const [i, tags] of cells.entries()) expectStatus(await add(table, { tags, stars: 5 - i }), 201);
    const tags = (rows: readonly Row[]) => rows.map(({ fields }) => fields.tags);
    const ascending = [[], ['red'], ['red', 'blue'], ['blue', 'green'], ['green']];
    expect(tags(await list(table, 'sort=tags'))).toEqual(ascending);
    expect(tags(await list(table, 'sort=-tags'))).toEqual(ascending.toReversed());
    expect((await owner.get(`/tables/${table.id}/rows?sort=extra`)).status).toBe(422);
    expect(tags(await list(table, 'filter=tags.hasAll.(red,blue)'))).toEqual([['red', 'blue']]);
    expect(tags(await list(table, 'filter=tags.isExactly.(red)'))).toEqual([['red']]);
    expect(await list(table, 'filter=tags.hasNone.(red)')).toHaveLength(3);
    expect(await list(table, 'filter=tags.isEmpty')).toHaveLength(1);
    expect((await owner.get(`/tables/${table.id}/rows?filter=tags.eq.red`)).status).toBe(422);
  });
});
