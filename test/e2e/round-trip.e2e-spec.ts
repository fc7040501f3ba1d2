import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import { expectStatus, type Table } from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { rowsFixture } from '../support/rows.js';

jest.setTimeout(180_000);

const fixture = rowsFixture();
const { newTable, list, bulk } = fixture;

const CHOICES = { choices: [{ label: 'Red, or so' }, { label: 'Blue' }, { label: '=Green' }] };
/** Of every type that people write; what is written comes back out of a file. */
const columns = (companies: Table) => [
  { name: 'T', type: 'text' },
  { name: 'L', type: 'long_text' },
  { name: 'I', type: 'integer' },
  { name: 'D', type: 'decimal' },
  { name: 'Cur', type: 'currency' },
  { name: 'P', type: 'percent' },
  { name: 'R', type: 'rating' },
  { name: 'Dur', type: 'duration' },
  { name: 'B', type: 'boolean' },
  { name: 'Day', type: 'date' },
  { name: 'At', type: 'datetime' },
  { name: 'S', type: 'single_select', options: CHOICES },
  { name: 'M', type: 'multi_select', options: CHOICES },
  { name: 'J', type: 'json' },
  { name: 'U', type: 'url' },
  { name: 'E', type: 'email' },
  { name: 'Ph', type: 'phone' },
  { name: 'Who', type: 'user' },
  { name: 'Team', type: 'user', options: { multiple: true } },
  { name: 'Files', type: 'attachment' },
  { name: 'Rows', type: 'link', options: { tableId: companies.id } },
];

const NASTY = [
  '',
  ' ',
  '=1+1',
  "'=1",
  "''=1",
  '+49',
  '-',
  '@',
  '\tx',
  '\rx',
  "'",
  '"',
  '""',
  'a"b',
  ',',
  ';',
  '\n',
  '\r\n',
  'a\r\nb',
  '\ufeffx',
  'null',
  '[1]',
  '😀',
  '\\',
  '\u2028',
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', "'", '=', 'a', ' '), maxLength: 8 }),
);
const clean = text.filter((each) => !each.includes('\0') && each.isWellFormed());
const decimal = fc
  .tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.constantFrom('', '.5', '.25', '.10'))
  .map(([whole, fraction]) => `${whole}${fraction}`);
const moment = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-30'), noInvalidDate: true })
  .map((at) => at.toISOString());
const json = fc.jsonValue({ maxDepth: 2, depthSize: 'small' }).filter((value) => {
  const written = JSON.stringify(value);
  return !/\\u0000|\\ud[89a-f]|__proto__|[eE][+-]?\d|\d{16}/i.test(written) && written.isWellFormed();
});

interface Given {
  readonly person: string;
  readonly file: string;
  readonly company: string;
}
const fieldsOf = ({ person, file, company }: Given) =>
  fc.record({
    t: fc.option(clean),
    l: fc.option(clean),
    i: fc.option(fc.maxSafeInteger()),
    d: fc.option(decimal),
    cur: fc.option(decimal),
    p: fc.option(fc.constantFrom('0.25', '-1', '0')),
    r: fc.option(fc.integer({ min: 1, max: 5 })),
    dur: fc.option(fc.integer({ min: -100_000, max: 100_000 })),
    b: fc.option(fc.boolean()),
    day: fc.option(moment.map((at) => at.slice(0, 10))),
    at: fc.option(moment),
    s: fc.option(fc.constantFrom('Blue', '=Green', 'Red, or so')),
    m: fc.uniqueArray(fc.constantFrom('Blue', '=Green', 'Red, or so')),
    j: fc.option(json),
    u: fc.option(fc.constantFrom('https://example.org/?a=1,2&b="x"', 'http://example.org/;x')),
    e: fc.option(fc.constantFrom('ada@example.org', "o'neil+x@example.org")),
    ph: fc.option(fc.constantFrom('+49 30 123456', '030/123456')),
    who: fc.option(fc.constant(person)),
    team: fc.constantFrom([], [person]),
    files: fc.constantFrom([], [file]),
    rows: fc.constantFrom([], [company]),
  });

describe('rows that go out as a file and come in again', () => {
  let table: Table;
  let companies: Table;
  let given: Given;
  const copies: Record<'csv' | 'ndjson', { table: Table; type: string } | undefined> = {
    csv: undefined,
    ndjson: undefined,
  };
  beforeAll(async () => {
    companies = await newTable();
    const company = await fixture.add(companies, { name: 'Acme' });
    table = await newTable(columns(companies));
    copies.csv = { table: await newTable(columns(companies)), type: 'text/csv' };
    copies.ndjson = { table: await newTable(columns(companies)), type: 'application/x-ndjson' };
    const sent = await fixture.owner.post<{ data: Attachment[] }>(`/tables/${table.id}/attachments`, form('text'));
    const [file] = expectStatus(sent, 201).data;
    given = { person: fixture.owner.user.id, file: must(file, 'a file').id, company: company.id };
  }, 60_000);

  const all = async (of: Table) => (await list(of, 'limit=1000')).data;
  const clear = async (of: Table) => {
    const ops = (await all(of)).map(({ id }) => ({ op: 'delete', id }));
    if (ops.length > 0) expectStatus(await bulk(of, ops), 200);
  };

  it.each(['csv', 'ndjson'] as const)('as %s are what they were, whatever is in them', async (format) => {
    const copy = must(copies[format], format);
    await fc.assert(
      fc.asyncProperty(fc.array(fieldsOf(given), { minLength: 1, maxLength: 25 }), async (rows) => {
        await clear(table);
        await clear(copy.table);
        expectStatus(await bulk(table, rows.map((fields) => ({ op: 'create', fields }))), 200); // prettier-ignore
        const file = await fixture.owner.get(`/tables/${table.id}/export?format=${format}`);
        const headers = { 'content-type': copy.type };
        const path = `/tables/${copy.table.id}/import`;
        const answer = await fixture.owner.call<{ created: number }>('POST', path, file.text, headers);
        expect(expectStatus(answer, 200).created).toBe(rows.length);
        const fields = async (of: Table) => (await all(of)).map((row) => row.fields);
        expect(await fields(copy.table)).toEqual(await fields(table));
      }),
      { numRuns: 25 },
    );
  });
});
