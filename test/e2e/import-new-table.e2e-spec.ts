import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { expectStatus, member, type Answer, type Person, type Table } from '../harness/index.js';
import { rowsFixture } from '../support/rows.js';

jest.setTimeout(120_000);

const fixture = rowsFixture();

interface Made {
  readonly table: Table;
  readonly inference: readonly { readonly column: string; readonly type: string; readonly reason: string }[];
  readonly import: { readonly id: string; readonly created: number; readonly failed: number; readonly meta: object };
  readonly code?: string;
  readonly errors?: readonly { readonly line: number; readonly column?: string; readonly code: string }[];
}
let tables = 0;
const send = (body: string | Uint8Array, type = 'text/csv', name = `File ${++tables}`, who: Person = fixture.owner) =>
  who.call<Made>('POST', `/bases/${fixture.at.base.id}/import?name=${encodeURIComponent(name)}`, body, {
    'content-type': type,
  });
const make = async (...args: Parameters<typeof send>): Promise<Made> => expectStatus(await send(...args), 201);
const typesOf = ({ inference }: Made) => Object.fromEntries(inference.map(({ column, type }) => [column, type]));
const refused = ({ status, body }: Answer<Made>) => [
  status, body.code, ...(body.errors ?? []).map(({ line, column, code }) => `${line} ${column ?? '-'} ${code}`),
]; // prettier-ignore
const tableNames = async () =>
  expectStatus(await fixture.owner.get<{ data: readonly Table[] }>(`/bases/${fixture.at.base.id}/tables?limit=200`), 200)
    .data.map(({ name }) => name); // prettier-ignore

describe('a table out of a file', () => {
  it('of 42,000 zip codes has every line, and gives back as many', async () => {
    const text = readFileSync(path.join(projectRoot, 'node_modules/vega-datasets/data/zipcodes.csv'), 'utf8');
    const lines = text.trimEnd().split('\n').length;
    const made = await make(text, 'text/csv', 'Zip');
    expect(typesOf(made)).toEqual({
      zip_code: 'text', latitude: 'decimal', longitude: 'decimal', city: 'text', state: 'text', county: 'text',
    }); // prettier-ignore
    expect(made.inference[0]?.reason).toContain('"00501"');
    expect([made.import.created, made.import.failed, made.table.name]).toEqual([lines - 1, 0, 'Zip']);
    const { text: out } = await fixture.owner.get(`/tables/${made.table.id}/export?format=csv`);
    expect(out.trimEnd().split('\r\n')).toHaveLength(lines);
    const first = (csv: string) => csv.split(/\r?\n/)[1]?.split(',')[0];
    expect(first(out)).toBe(first(text));
    await fixture.proveLog(made.table);
  });

  it('has for each column the narrowest type that all of its values have', async () => {
    const made = await make(
      [
        'Id,Zip,Price,Small,Big,Ok,Day,At,Mail,Web,Text,Notes,Nothing,Mixed',
        '1,00501,1.50,1e-5,12345678901234567890,true,2026-01-02,2026-01-02T03:04:05Z,a@example.org,https://example.org/x,=1,"a\nb",,1',
        '-2,10001,2,2,1,FALSE,2026-12-31,2026-01-02T03:04:05.678+02:00,b@example.org,http://example.org,b,c,,x',
      ].join('\n'),
    );
    expect(typesOf(made)).toEqual({
      id: 'integer', zip: 'text', price: 'decimal', small: 'decimal', big: 'decimal', ok: 'boolean', day: 'date', at: 'datetime',
      mail: 'email', web: 'url', text: 'text', notes: 'long_text', nothing: 'text', mixed: 'text',
    }); // prettier-ignore
    expect(made.import.created).toBe(2);
  });

  it('widens a type for a value in the last line of a long file', async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) => String(i));
    expect(typesOf(await make(['n', ...lines].join('\n')))).toEqual({ n: 'integer' });
    expect(typesOf(await make(['n', ...lines, '0.5'].join('\n')))).toEqual({ n: 'decimal' });
    expect(typesOf(await make(['n', ...lines, 'many'].join('\n')))).toEqual({ n: 'text' });
  });

  it('takes names as they are, numbers those that are missing, and tells a name from the key of another', async () => {
    const made = await make('Unit Price,unit_price,,Straße\n1,x,2,b\n');
    expect(made.table.columns.map(({ name, key }) => [name, key])).toEqual([
      ['Unit Price', 'unit_price'], ['unit_price', 'unit_price_2'], ['Column 3', 'column_3'], ['Straße', 'strasse'],
    ]); // prettier-ignore
    expect((await fixture.list(made.table)).data[0]?.fields).toEqual({
      unit_price: 1, unit_price_2: 'x', column_3: 2, strasse: 'b',
    }); // prettier-ignore
  });

  it('is made of JSON lines, too, whose numbers are numbers and whose texts are texts', async () => {
    const rows = [
      { a: 1, 'B c': '1', d: [1, 2] },
      { a: 2.5, e: true, 'B c': null },
    ];
    const made = await make(rows.map((row) => JSON.stringify(row)).join('\n'), 'application/x-ndjson');
    expect(typesOf(made)).toEqual({ a: 'decimal', b_c: 'text', d: 'json', e: 'boolean' });
    expect((await fixture.list(made.table)).data.map(({ fields }) => fields)).toEqual([
      { a: '1', b_c: '1', d: [1, 2], e: null },
      { a: '2.5', b_c: null, d: null, e: true },
    ]);
  });

  it('has columns and no rows where the file has a header and nothing else', async () => {
    const made = await make('a,b\n');
    expect([typesOf(made), made.import.created]).toEqual([{ a: 'text', b: 'text' }, 0]);
  });
});

describe('no table is made', () => {
  it.each([
    ['of an empty file', '', ['1 - header_missing']],
    ['of one whose names repeat', 'a,A\n1,2\n', ['1 A duplicate_field']],
    [
      'of one with more columns than a table has',
      Array.from({ length: 251 }, (_, i) => `c${i}`).join(),
      ['1 - too_many_columns'],
    ],
    [
      'of lines that are not what the header promises',
      'a,b\n1,2\n3\n4,5,6\n',
      ['3 - wrong_number_of_cells', '4 - wrong_number_of_cells'],
    ],
    ['of a quote that nobody closes', 'a\n1\n"2\n', ['3 - quote_not_closed']],
    ['of a text with NUL', 'a\nx\0\n', ['2 a nul_character']],
  ])('%s', async (_, body, expected) => {
    const before = await tableNames();
    expect(refused(await send(body))).toEqual([422, 'import_failed', ...expected]);
    expect(await tableNames()).toEqual(before);
  });

  it('where the name is taken, missing or not given by somebody who may', async () => {
    await make('a\n1\n', 'text/csv', 'Taken');
    expect(refused(await send('a\n1\n', 'text/csv', 'TAKEN')).slice(0, 2)).toEqual([409, 'name_taken']);
    expect((await send('a\n1\n', 'text/csv', '')).status).toBe(422);
    const editor = await member(fixture.at, 'editor');
    expect((await send('a\n1\n', 'text/csv', 'Mine', editor)).body.code).toBe('role_too_low');
  });
});
