import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newId } from '../../src/common/index.js';
import { client, expectStatus, member, sql, waitFor, type Answer, type Person, type Table } from '../harness/index.js';
import { path, rowsFixture } from '../support/rows.js';

jest.setTimeout(120_000);

const fixture = rowsFixture();
const { newTable, add, list, proveLog, deletedMeanwhile } = fixture;

interface Result {
  readonly id: string;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly column?: string; readonly code: string }[];
  readonly errorsTruncated: boolean;
  readonly meta: { readonly epoch: string; readonly seq: number };
  readonly code?: string;
  readonly detail?: string;
}
type Body = string | Uint8Array;
const send = (table: Table, body: Body, query = '', type = 'text/csv', who: Person = fixture.owner) =>
  who.call<Result>('POST', `/tables/${table.id}/import?${query}`, body, { 'content-type': type });
const csv = (table: Table, lines: readonly string[], query = '') => send(table, lines.join('\r\n') + '\r\n', query);
const ndjson = (table: Table, rows: readonly unknown[], query = '') =>
  send(table, rows.map((row) => JSON.stringify(row)).join('\n'), query, 'application/x-ndjson');
const exported = async (table: Table, query = ''): Promise<string> => {
  const answer = await fixture.owner.get(`/tables/${table.id}/export?${query}`);
  expectStatus(answer, 200);
  return answer.text;
};
const counts = ({ created, updated, unchanged, failed }: Result) => [created, updated, unchanged, failed];
const findings = ({ body }: Answer<Result>) =>
  body.errors.map(({ line, column, code }) => `${line} ${column ?? '-'} ${code}`);
const refused = (answer: Answer<Result>) => [answer.status, answer.body.code, ...findings(answer)];
const names = async (table: Table) => (await list(table, 'sort=name&limit=1000')).data.map(({ fields }) => fields.name);

describe('an import of CSV', () => {
  it('appends a row for each line, by the keys or the names of the columns', async () => {
    const table = await newTable();
    const answer = await csv(table, [
      'Name,qty,AMOUNT,Active,due,seen,status,notes',
      'Acme,3,1200.5,TRUE,2026-03-01,2026-03-01T10:00:00+01:00,Won,',
      '"Globex, Inc.", 7 ,,,,,open,""',
    ]);
    expect(counts(expectStatus(answer, 200))).toEqual([2, 0, 0, 0]);
    const { data, meta } = await list(table, 'sort=name');
    expect(data.map(({ fields }) => fields)).toEqual([
      { name: 'Acme', amount: '1200.50', qty: 3, active: true, due: '2026-03-01', seen: '2026-03-01T09:00:00.000Z', notes: null, status: 'won', code: null },
      { name: 'Globex, Inc.', amount: null, qty: 7, active: null, due: null, seen: null, notes: '', status: 'open', code: null },
    ]); // prettier-ignore
    expect(answer.body.meta).toEqual({ epoch: meta.epoch, seq: meta.seq });
    expect(answer.headers.get('live-seq')).toBe(String(meta.seq));
    await proveLog(table);
  });

  it('takes a thousand rows under each number, and one change set for all', async () => {
    const table = await newTable();
    const lines = Array.from({ length: 2_500 }, (_, i) => `row ${i},${i}`);
    expect(counts(expectStatus(await csv(table, ['name,qty', ...lines]), 200))).toEqual([2_500, 0, 0, 0]);
    const rows = await sql<{ seq: string; n: string; sets: string }>(
      fixture.app.config.miniDb,
      `select seq, count(*) as n, (select count(distinct change_set) from ${table.physical.schema}._change where table_id = $1 and op = 'create') as sets
       from ${table.physical.schema}._change where table_id = $1 and op = 'create' group by seq order by seq`,
      [table.id],
    );
    expect(rows.map(({ n }) => Number(n))).toEqual([1_000, 1_000, 500]);
    expect(rows[0]?.sets).toBe('1');
    await proveLog(table);
  });

  it('gives defaults to columns that the file does not have, and null to cells that are empty', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Kind', type: 'text', default: 'new' },
      { name: 'Level', type: 'integer', default: 5 },
    ]);
    expectStatus(await csv(table, ['name,kind', 'a,']), 200);
    expect((await list(table)).data[0]?.fields).toEqual({ name: 'a', kind: null, level: 5 });
  });

  it.each([
    ['semicolons', 'name;qty\na;1\n', ''],
    ['tabs', 'name\tqty\na\t1\n', ''],
    ['bars', 'name|qty\na|1', ''],
    ['lines that end with CR', 'name,qty\ra,1\r', ''],
    ['a byte order mark', '\ufeffname,qty\na,1\n', ''],
    ['empty lines between', 'name,qty\n\na,1\n\n\n', ''],
    ['a delimiter that is named', 'name;qty\na;1\n', 'delimiter=;'],
  ])('reads %s', async (_, text, query) => {
    const table = await newTable();
    expectStatus(await send(table, text, query), 200);
    expect((await list(table)).data[0]?.fields).toMatchObject({ name: 'a', qty: 1 });
  });

  it.each([
    ['utf-16le', Buffer.from('\ufeffname,qty\nä€😀,1\n', 'utf16le'), ''],
    ['utf-16be', Buffer.from('\ufeffname,qty\nä€😀,1\n', 'utf16le').swap16(), ''],
    ['windows-1252', Buffer.from([...Buffer.from('name\n'), 0xe4, 0x80]), 'charset=windows-1252'],
    ['latin1 by the media type', Buffer.from([...Buffer.from('name\n'), 0xe4, 0x80]), '', 'text/csv; charset=Latin1'],
  ])('reads %s', async (_, bytes, query, type = 'text/csv') => {
    const table = await newTable();
    expectStatus(await send(table, bytes, query, type), 200);
    expect((await names(table))[0]).toMatch(/^ä€/);
  });

  it.each([
    ['that nobody knows', 'text/csv; charset=klingon', ''],
    ['that is another than the parameter says', 'text/csv; charset="utf-16le"', 'charset=utf-8'],
  ])('refuses a charset %s', async (_, type, query) => {
    const answer = await send(await newTable(), 'name\na\n', query, type);
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
  });

  it('takes people by id or address, and lists as JSON or with commas', async () => {
    const table = await newTable([
      { name: 'Who', type: 'user' },
      { name: 'Team', type: 'user', options: { multiple: true } },
      { name: 'Tags', type: 'multi_select', options: { choices: [{ label: 'Red' }, { label: 'Blue' }] } },
    ]);
    const ada = await member(fixture.at, 'viewer');
    const { id } = ada.user;
    expectStatus(
      await csv(table, [
        'who,team,tags',
        `${id},"[""${id}""]","[""red"",""Blue""]"`,
        `${ada.email.toUpperCase()},"${ada.email}, ${fixture.owner.email}","Blue, Red"`,
      ]),
      200,
    );
    expect((await list(table)).data.map(({ fields }) => fields)).toEqual([
      { who: id, team: [id], tags: ['red', 'blue'] },
      { who: id, team: [id, fixture.owner.user.id], tags: ['blue', 'red'] },
    ]);
    const answer = await csv(table, ['who', 'nobody@example.org', newId()]);
    expect(refused(answer)).toEqual([422, 'import_failed', '2 who not_an_id', '3 who not_a_member']);
  });
});

describe('an import of NDJSON', () => {
  it('takes an object of fields a line, and rows as the export writes them', async () => {
    const table = await newTable();
    const rows = [
      { name: 'a', qty: 1, amount: '0.10' },
      { id: newId(), version: 3, fields: { Name: 'b', status: 'Won' } },
    ];
    expect(counts(expectStatus(await ndjson(table, rows), 200))).toEqual([2, 0, 0, 0]);
    expect((await list(table, 'sort=name')).data.map(({ fields }) => fields)).toMatchObject([
      { name: 'a', qty: 1, amount: '0.10' },
      { name: 'b', status: 'won' },
    ]);
  });

  it('takes lines behind one that is longer than what is read at once', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Text', type: 'long_text' },
    ]);
    const long = 'y'.repeat(700_000);
    const rows = [{ text: long, name: 'a' }, ...Array.from({ length: 5_000 }, (_, i) => ({ name: `row ${i}` }))];
    expect(counts(expectStatus(await ndjson(table, rows), 200))).toEqual([5_001, 0, 0, 0]);
  });

  it('tells lines that are none, and values that are not kept exactly', async () => {
    const table = await newTable();
    const text = [
      '{"name":"a"}',
      '',
      '[1]',
      '{"name":',
      '{"amount":0.12345678901234567890}',
      '{"name":1}',
      '{"nope":1}',
    ];
    const answer = await send(table, text.join('\n'), '', 'application/x-ndjson');
    expect(refused(answer)).toEqual([
      422, 'import_failed', '3 - not_an_object', '4 - malformed_json', '5 - number_not_exact', '6 name not_text',
      '7 nope unknown_field', '7 name required',
    ]); // prettier-ignore
  });
});

describe('an import with a line that cannot be written', () => {
  const LINES = ['name,qty,code', 'a,1,x', 'b,many,y', '"c\nc",3,x', ',4,z', 'd,5'];

  it('writes nothing at all and tells everything that is wrong, by line and column', async () => {
    const table = await newTable();
    await add(table, { name: 'there', code: 'y' });
    const before = await list(table);
    const answer = await csv(table, LINES);
    expect(refused(answer)).toEqual([
      422, 'import_failed', '3 qty not_an_integer', '4 code unique_violation', '6 name required', '7 - wrong_number_of_cells',
    ]); // prettier-ignore
    expect(await list(table)).toEqual(before);
  });

  it('writes the others where it is told to skip such lines', async () => {
    const table = await newTable();
    const { body } = await csv(table, LINES, 'onError=skip');
    expect([counts(body), body.errors.length]).toEqual([[1, 0, 0, 4], 4]);
    expect(await names(table)).toEqual(['a']);
    await proveLog(table);
  });

  it('says the same in a trial, which writes nothing', async () => {
    const table = await newTable();
    await add(table, { name: 'there', code: 'x' });
    const before = await list(table);
    const trial = await csv(table, LINES, 'onError=skip&dryRun=true');
    expect(await list(table)).toEqual(before);
    const real = await csv(table, LINES, 'onError=skip');
    expect(counts(trial.body)).toEqual(counts(real.body));
    expect(trial.body.errors).toEqual(real.body.errors);
    expect(trial.body.meta.seq).toBe(before.meta.seq);
    expectStatus(await csv(table, LINES, 'dryRun=true'), 422);
  });

  it('undoes what it wrote before a value turned out to be taken, thousands of lines later', async () => {
    const table = await newTable();
    const lines = Array.from({ length: 3_200 }, (_, i) => `row ${i},${i === 3_100 ? 7 : i}`);
    const answer = await csv(table, ['name,code', ...lines]);
    expect(refused(answer)).toEqual([422, 'import_failed', '3102 code unique_violation']);
    expect(await list(table)).toMatchObject({ data: [], meta: { seq: 0 } });
    const { body } = await csv(table, ['name,code', ...lines], 'onError=skip');
    expect(counts(body)).toEqual([3_199, 0, 0, 1]);
    await proveLog(table);
  });

  it('lists the first thousand and counts the rest', async () => {
    const table = await newTable();
    const { status, body } = await csv(table, ['name,qty', ...Array.from({ length: 1_200 }, () => 'a,x')]);
    expect([status, body.failed, body.errors.length, body.errorsTruncated]).toEqual([422, 1_200, 1_000, true]);
  });
});

describe('an import that changes rows', () => {
  it('changes those with the same value, makes the others, and leaves alone what stays the same', async () => {
    const table = await newTable();
    await add(table, { name: 'Acme', code: 'a', qty: 1 });
    await add(table, { name: 'Globex', code: 'b', qty: 2 });
    const answer = await csv(
      table,
      ['code,name,qty', 'a,Acme,10', 'b,Globex,2', 'c,Initech,3'],
      'mode=upsert&matchOn=code',
    );
    expect(counts(expectStatus(answer, 200))).toEqual([1, 1, 1, 0]);
    expect((await list(table, 'sort=code')).data.map(({ fields, version }) => [fields.code, fields.qty, version])).toEqual([
      ['a', 10, 2], ['b', 2, 1], ['c', 3, 1],
    ]); // prettier-ignore
    await proveLog(table);
  });

  it.each(['abort', 'skip'])('lets a later line change what an earlier one made (%s)', async (onError) => {
    const table = await newTable();
    const lines = ['a,first,1', 'b,other,2', 'a,second,3', 'a,third,4'];
    const { body } = await csv(table, ['code,name,qty', ...lines], `mode=upsert&matchOn=code&onError=${onError}`);
    expect(counts(body)).toEqual([2, 2, 0, 0]);
    expect(await names(table)).toEqual(['other', 'third']);
  });

  it('refuses lines that match several rows, or lack what they are matched by', async () => {
    const table = await newTable();
    await add(table, { name: 'x', qty: 1 });
    await add(table, { name: 'y', qty: 1 });
    const answer = await csv(table, ['name,qty', 'z,1', 'w,'], 'mode=upsert&matchOn=qty');
    expect(refused(answer)).toEqual([422, 'import_failed', '2 matchOn upsert_ambiguous', '3 qty match_missing']);
    for (const query of ['mode=upsert', 'matchOn=qty', 'mode=upsert&matchOn=nope'])
      expect((await csv(table, ['name,qty', 'z,1'], query)).body.code).toBe('validation_failed');
    expect(refused(await csv(table, ['name', 'z'], 'mode=upsert&matchOn=qty'))).toEqual([
      422,
      'import_failed',
      '1 qty match_missing',
    ]);
  });

  it('makes a row anew that somebody deletes meanwhile', async () => {
    const table = await newTable();
    const [row] = [await add(table, { code: 'a' }), await add(table, { code: 'b' })];
    const write = () => csv(table, ['code,name', 'a,mine', 'b,mine'], 'mode=upsert&matchOn=code&onError=skip');
    const answer = await deletedMeanwhile(table, row, write);
    expect(counts(expectStatus(answer, 200))).toEqual([1, 1, 0, 0]);
    expect(await names(table)).toEqual(['mine', 'mine']);
    await proveLog(table);
  });
});

describe('links in an import', () => {
  it('are written at both ends, and refused where they lead nowhere', async () => {
    const companies = await newTable();
    const people = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Works at', type: 'link', options: { tableId: companies.id } },
    ]);
    const acme = await add(companies, { name: 'Acme' });
    expectStatus(await csv(people, ['name,works_at', `Ada,${acme.id}`, `Bob,"[""${acme.id}""]"`, 'Cid,']), 200);
    const { data } = await list(people, 'sort=name');
    expect(data.map(({ fields }) => fields.works_at)).toEqual([[acme.id], [acme.id], []]);
    const missing = newId();
    const bad = ['name,works_at', 'Dan,', `Eve,${missing}`];
    expect(refused(await csv(people, bad))).toEqual([422, 'import_failed', '3 works_at row_not_found']);
    expect(counts((await csv(people, bad, 'onError=skip')).body)).toEqual([1, 0, 0, 1]);
    await proveLog(people);
    await proveLog(companies);
  });
});

describe('the columns of a file', () => {
  it.each([
    ['unknown', 'name,nope', ['1 nope unknown_field']],
    ['there twice', 'name,Name', ['1 name duplicate_field']],
    ['without a name', 'name,', ['1 - name_missing']],
    ['computed', 'name,no', ['1 no read_only']],
    ['too many', Array.from({ length: 5_000 }, (_, i) => `c${i}`).join(), ['1 - too_many_cells']],
    ['more than a table has', Array.from({ length: 300 }, (_, i) => `c${i}`).join(), ['1 - too_many_columns']],
  ])('are refused when they are %s', async (_, header, expected) => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'No', type: 'autonumber' },
    ]);
    expect(refused(await csv(table, [header, 'a,b']))).toEqual([422, 'import_failed', ...expected]);
  });

  it('are passed over when they mean nothing here and the caller says so', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'No', type: 'autonumber' },
    ]);
    expectStatus(await csv(table, ['no,nope,name', '7,x,a'], 'ignoreUnknown=true'), 200);
    expect((await list(table)).data[0]?.fields).toEqual({ name: 'a', no: 1 });
  });
});

describe('a hostile file', () => {
  let table: Table;
  beforeAll(async () => {
    table = await newTable();
  });

  it.each([
    ['is empty', '', [422, 'import_failed', '1 - header_missing']],
    ['has a quote that nobody closes', 'name\na\n"b\nc\n', [422, 'import_failed', '3 - quote_not_closed']],
    ['has a quote in the middle of a cell', 'name\nsay "hi"\n', [422, 'import_failed', '2 - stray_quote']],
    ['has text behind a quote', 'name\n"a"b\nc\n', [422, 'import_failed', '2 - stray_quote']],
    ['has NUL characters', 'name\na\0b\n', [422, 'import_failed', '2 name nul_character']],
    [
      'has numbers that no machine holds',
      'name,qty,amount\na,1e400,1e400\n',
      [422, 'import_failed', '2 qty not_an_integer', '2 amount not_a_number'],
    ],
    [
      'has half a surrogate pair',
      Buffer.from('\ufeffname\na\ud800b\n', 'utf16le'),
      [422, 'import_failed', '2 - encoding_invalid'],
    ],
    [
      'is not UTF-8',
      Buffer.from([...Buffer.from('name\nok\n'), 0xe4, 0x0a]),
      [422, 'import_failed', '3 - encoding_invalid'],
    ],
  ] as const)('is refused where it %s', async (_, body, expected) => {
    const answer = await send(table, body);
    expect(refused(answer).slice(0, expected.length)).toEqual(expected);
    expect((await list(table)).data).toEqual([]);
  });

  it('of a header and nothing else makes no rows', async () => {
    expect(counts(expectStatus(await send(table, 'name,qty'), 200))).toEqual([0, 0, 0, 0]);
  });

  it('is refused in another media type, or compressed', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x'])
      expect((await send(table, '{}', '', type)).body.code).toBe('unsupported_media_type');
    expect((await fixture.owner.call<Result>('POST', `/tables/${table.id}/import`)).body.code).toBe(
      'unsupported_media_type',
    );
    const gzip = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    expect((await fixture.owner.call<Result>('POST', `/tables/${table.id}/import`, 'x', gzip)).status).toBe(415);
  });

  it('whose sender goes away half-way writes nothing', async () => {
    const sent = httpRequest(`${fixture.app.base}/api/v1/tables/${table.id}/import`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${fixture.owner.token ?? ''}`,
        'content-type': 'text/csv',
        'content-length': '100000',
      },
    });
    sent.on('error', () => undefined);
    await new Promise<void>((resolve) => sent.write('name\na\nb\n', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 100));
    sent.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await list(table)).data).toEqual([]);
  });
});

describe('an import and what happens meanwhile', () => {
  const many = Array.from({ length: 12_000 }, (_, i) => `row ${i}`);

  it('is seen by readers as a whole only, while others wait with their writes', async () => {
    const table = await newTable();
    const importing = csv(table, ['name', ...many]);
    const seen = new Set<number>();
    const look = async () => seen.add((await list(table, 'limit=1&count=exact')).count?.value ?? -1);
    const writing = add(table, { name: 'between' });
    for (let i = 0; i < 20; i++) await look();
    expectStatus(await importing, 200);
    await Promise.all([look(), writing]);
    for (const value of seen) expect([0, 1, 12_000, 12_001]).toContain(value);
    await proveLog(table);
  });

  it('of the same table twice at once both come in', async () => {
    const table = await newTable();
    const [a, b, c] = await Promise.all([
      csv(table, ['name', ...many]),
      csv(table, ['name', ...many], 'onError=skip'),
      csv(table, ['name,code', ...many.slice(0, 3_000).map((name, i) => `${name},${i}`)], 'mode=upsert&matchOn=code'),
    ]);
    expect([a, b, c].map(({ body }) => body.created)).toEqual([12_000, 12_000, 3_000]);
    await proveLog(table);
  });

  it('goes on with a structure that changed, or tells that the table is gone', async () => {
    const table = await newTable();
    const importing = csv(table, ['name', ...many], 'onError=skip');
    await waitFor(async () => (await list(table, 'limit=1')).data.length > 0);
    expectStatus(await fixture.owner.post(`/tables/${table.id}/columns`, { name: 'More', type: 'text' }), 201);
    expect(counts(expectStatus(await importing, 200))).toEqual([12_000, 0, 0, 0]);
    const doomed = csv(table, ['name', ...many], 'onError=skip');
    await waitFor(async () => (await list(table, 'limit=1&count=exact')).count?.value !== 12_000);
    const removal = await fixture.owner.del(`/tables/${table.id}`);
    expect(removal.status).toBe(204);
    const { status, body } = await doomed;
    expect([404, 200]).toContain(status);
    if (status === 404) expect(body.created).toBeGreaterThan(0);
  });
});

describe('an import is refused', () => {
  it('to viewers and strangers', async () => {
    const table = await newTable();
    const viewer = await member(fixture.at, 'viewer');
    expect((await send(table, 'name\na\n', '', 'text/csv', viewer)).body.code).toBe('role_too_low');
    const { body } = await client(fixture.app.base).call<Result>('POST', `/tables/${table.id}/import`, 'name\na\n', {
      'content-type': 'text/csv',
    });
    expect(body.code).toBe('unauthenticated');
    expect((await send(table, 'name\n', 'nope=1')).status).toBe(422);
    expect((await fixture.owner.get(path(table))).status).toBe(200);
    expect(await exported(table)).toMatch(/^name,/);
  });
});
