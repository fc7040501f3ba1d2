import { beforeAll, describe, expect, it } from '@jest/globals';
import { must, newId } from '../../src/common/index.js';
import {
  castCell,
  columnType,
  ident,
  kindOf,
  readJsonText,
  sql,
  toStatement,
  value,
  type ColumnSchema,
  type ColumnTypeName,
} from '../../src/query/index.js';
import { CHOICES, column } from '../query/index.js';
import { node, type Node } from './store.js';

let store: Node;
beforeAll(async () => {
  store = await node();
});

/** What a text becomes in PostgreSQL, as text; null where it cannot. */
async function cast(from: ColumnSchema, to: ColumnSchema, texts: readonly string[]): Promise<(string | null)[]> {
  const converted = must(castCell(kindOf(from), kindOf(to), sql`t.v`), 'the types convert');
  const rows = await store.database.query(
    toStatement(
      sql`select (${converted})::text from unnest(${value([...texts], 'text[]')}) with ordinality t(v, o) order by t.o`,
    ),
  );
  return rows.map(([text]) => text ?? null);
}

const TEXTS = [
  '', ' ', 'abc', '0', '-0', '1', ' 1 ', '+1', '1.5', '1.50', '.5', '5.', '1e3', '1e-3', '1e400', '1,5', '1 000', '0x10', 'NaN', 'Infinity', '--1', '1.234',
  '9007199254740991', '9007199254740992', '-9007199254740991', '99999999999999999999999999999999999999', '999999999999999999999999999999999999999',
  'true', 'false', 'TRUE', 'yes', 't', '2026-02-28', '2026-02-29', '2024-02-29', '2026-02-30', '2026-13-01', '2026-00-10', '2026-01-00', '0000-01-01', '0001-01-01',
  '9999-12-31', '26-01-01', '2026-1-1', '2026-01-01T10:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T10:00:00', '2026-01-01T10:00:00.123+02:00',
  '2026-01-01T10:00:00.1234Z', '0001-01-01T00:00:00+05:00', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59-01:00', '2026-02-30T00:00:00Z',
  '1:30', '1:60', '-0:05:59', '100:00:00', 'open', 'Open', 'Lost for good', 'lost', 'OPEN', 'https://example.org/a?b', 'javascript:alert(1)', 'http://', 'ftp://x.org',
  'https://example.org/ a', 'ada@example.org', 'a@b', '@', 'a b@c.de', '+49 30 123456', '12', 'phone', '{"a":1}', "'; drop table x; --", '\u{1F600}',
] as const; // prettier-ignore

const OPTIONS: Partial<Record<ColumnTypeName, ColumnSchema['options']>> = {
  decimal: { scale: 2 },
  currency: { scale: 2 },
  rating: { max: 5 },
  single_select: { choices: CHOICES },
  text: { maxLength: 12 },
};

describe('a text becomes in PostgreSQL what its new type reads', () => {
  /** Texts that the conversion reads and the type itself does not, which a person would expect, and the other way round. */
  const KNOWN: Partial<Record<ColumnTypeName, readonly string[]>> = {
    // Whole numbers in other notations.
    integer: ['5.', '1e3', '1.0', ' 1 '],
    duration: ['5.', '1e3', ' 1 '],
    rating: ['5.', ' 1 '],
    boolean: ['TRUE', 'yes', '0', '1', ' 1 ', '-0'],
    // A label without regard to letter case.
    single_select: ['OPEN'],
    // Days become their first moment.
    datetime: ['2026-02-28', '2024-02-29', '0001-01-01', '9999-12-31'],
  };

  it.each([
    'text', 'long_text', 'integer', 'decimal', 'currency', 'percent', 'rating', 'duration', 'boolean', 'date', 'datetime', 'single_select', 'url', 'email', 'phone',
  ] as const)('%s', async (type) => {
    const to = column('b', type, { options: OPTIONS[type] ?? {} });
    const found = await cast(column('a', 'text'), to, TEXTS);
    const differ = TEXTS.filter((text, i) => columnType(type).parseText(text, to).ok !== (found[i] !== null));
    expect(differ.filter((text) => !(KNOWN[type] ?? []).includes(text))).toEqual([]);
  }); // prettier-ignore

  it('to the very value', async () => {
    const read = async (type: ColumnTypeName, text: string, options: ColumnSchema['options'] = {}) =>
      (await cast(column('a', 'text'), column('b', type, { options }), [text]))[0];
    expect(await read('decimal', '1.5', { scale: 2 })).toBe('1.50');
    expect(await read('integer', '1e3')).toBe('1000');
    expect(await read('duration', '-0:05:59')).toBe('-359');
    expect(await read('duration', '100:00:00')).toBe('360000');
    expect(await read('date', '2024-02-29')).toBe('2024-02-29');
    expect(await read('datetime', '2026-01-01T10:00:00.123+02:00')).toBe('2026-01-01 08:00:00.123+00');
    expect(await read('single_select', 'Lost for good', { choices: CHOICES })).toBe('lost');
    expect(await read('multi_select', 'Open, lost,Open', { choices: CHOICES })).toBe('{open,lost}');
    expect(await read('multi_select', ' Open ,, lost\r\nopen,', { choices: CHOICES })).toBe('{open,lost}');
    expect(await read('multi_select', 'Open, nobody', { choices: CHOICES })).toBeNull();
    expect(await read('multi_select', ' , ', { choices: CHOICES })).toBeNull();
    expect(await read('json', 'abc')).toBe('"abc"');
  });
});

describe('a duration becomes a text', () => {
  const SECONDS = [
    '0',
    '59',
    '60',
    '3599',
    '5400',
    '-1',
    '-59',
    '-60',
    '-5400',
    '360000',
    '9007199254740991',
    '-9007199254740991',
  ];
  const textOf = (format: 'h:mm' | 'h:mm:ss', seconds: readonly string[]) =>
    cast(column('a', 'duration', { options: { format } }), column('b', 'text'), seconds);

  it('that says it in hours, also when it is less than nothing or longer than PostgreSQL has intervals for', async () => {
    expect(await textOf('h:mm', SECONDS)).toEqual([
      '0:00', '0:00', '0:01', '0:59', '1:30', '0:00', '0:00', '-0:01', '-1:30', '100:00', '2501999792983:36', '-2501999792983:36',
    ]); // prettier-ignore
    expect((await textOf('h:mm:ss', SECONDS)).slice(5, 9)).toEqual(['-0:00:01', '-0:00:59', '-0:01:00', '-1:30:00']);
  });

  it('that can be read again', async () => {
    const seconds = SECONDS.slice(0, 10);
    const texts = (await textOf('h:mm:ss', seconds)).map((text) => must(text, 'a text'));
    expect(await cast(column('a', 'text'), column('b', 'duration'), texts)).toEqual(seconds);
  });
});

describe('a text becomes JSON in PostgreSQL', () => {
  const ESCAPED = String.raw`{"a\"b":"\\","c":"\u00e9\ud83d\ude00\/","d":"{[\"#"}`;
  const CONTAINERS = [
    '{}', '[]', ' [ ] ', '{"a":1}', '\n{ "a" : [1, -2.5, 1e3, "x", true, false, null, {"b":{}}] }\t', '[[[[]]]]', '[""]', '["#","{"]', '[0.30000000000000004]',
    ESCAPED, '{"a":1,"a":2}', `${'['.repeat(64)}${']'.repeat(64)}`, `["${'x'.repeat(5_000)}"]`, '["\u2028 é"]',
  ]; // prettier-ignore
  const TEXTS_ONLY = [
    '', 'abc', '1', 'null', 'true', '"x"', '[', ']', '{', '[1', '[1,]', '[,1]', '{"a"}', '{"a":}', '{a:1}', "{'a':1}", '{[]:1}', '[1[]]', '[[]1]', '[[][]]', '[#]', '#', '[01]', '[1.]',
    '[.5]', '[+1]', '[NaN]', '[1 2]', '["a" "b"]', '["a]', '["a\nb"]', String.raw`["\x"]`, String.raw`["\u00g0"]`, '{}{}', '[]x', '{"a":1}}', '[1]\u00a0', '(1)', '[tru]',
    // What PostgreSQL could not keep, or would write out at length, or a reader would not read to the last digit.
    String.raw`["\u0000"]`, String.raw`["\ud800"]`, String.raw`["\udc00\ud800"]`, '[1e400]', '[1e131000]', '[12345678901234567890]', `${'['.repeat(65)}1${']'.repeat(65)}`,
  ]; // prettier-ignore

  it('where it is the text of an object or a list, and is a text in it otherwise', async () => {
    const read = await cast(column('a', 'text'), column('b', 'json'), [...CONTAINERS, ...TEXTS_ONLY]);
    const expected = [...CONTAINERS.map((text) => JSON.parse(text) as unknown), ...TEXTS_ONLY];
    expect(read.map((found) => JSON.parse(String(found)) as unknown)).toEqual(expected);
  });

  it('as it would in memory', () => {
    for (const text of CONTAINERS) expect([text, readJsonText(text)]).toEqual([text, JSON.parse(text)]);
    const strict = TEXTS_ONLY.map((text) => [text, columnType('json').parse(readJsonText(text), { options: {} }).ok]);
    expect(strict.filter(([, ok]) => ok !== true).map(([text]) => text)).toEqual([
      String.raw`["\u0000"]`, String.raw`["\ud800"]`, String.raw`["\udc00\ud800"]`, '[1e400]', '[1e131000]', '[12345678901234567890]', `${'['.repeat(65)}1${']'.repeat(65)}`,
    ]); // prettier-ignore
  });

  it.each([
    ['brackets that open', '['.repeat(900_000)],
    ['brackets that close', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['quotes', `["${'\\"'.repeat(400_000)}`],
    ['lists that do not end', '[1,'.repeat(300_000)],
    ['objects in objects', '{"a":'.repeat(150_000)],
    ['a list of numbers', `[${'1,'.repeat(400_000)}2]`],
    ['more than may be kept', `["${'x'.repeat(1_000_000)}"]`],
  ])('whatever it is, and however long: %s', async (_, text) => {
    const [found] = await cast(column('a', 'long_text'), column('b', 'json'), [text]);
    expect(typeof JSON.parse(String(found))).toBe(
      text.startsWith('[1,1,1') && text.endsWith('2]') ? 'object' : 'string',
    );
  });
});

it('JSON becomes what its texts and the elements of its lists are', async () => {
  const read = async (to: ColumnSchema, value: string) => {
    const converted = must(castCell(kindOf(column('a', 'json')), kindOf(to), sql`t.v`), 'the types convert');
    const { text } = toStatement(sql`select (${converted})::text from (select v) t`);
    const [row] = await store.database.query({
      text: text.replace('(select v)', '(select $1::jsonb as v)'),
      values: [value],
    });
    return row?.[0] ?? null;
  };
  const tags = column('t', 'multi_select');
  const texts = ['["open","lost","open"]', '["Open"]', '"lost, Open"', '"open"', '["open","nobody"]', '["open",null]', '["open",["lost"]]', '{"open":1}', '[]', '7', 'null']; // prettier-ignore
  expect(await Promise.all(texts.map((text) => read(tags, text)))).toEqual([
    '{open,lost}', '{open}', '{lost,open}', '{open}', null, null, null, null, null, null, null,
  ]); // prettier-ignore
  expect(await read(column('s', 'single_select'), '"Open"')).toBe('open');
  expect(await read(column('x', 'text'), '"a \\"b\\""')).toBe('a "b"');
  expect(await read(column('x', 'text'), '{"a": "b"}')).toBe('{"a": "b"}');
  expect(await read(column('x', 'date'), '"2026-11-26"')).toBe('2026-11-26');
});

it('numbers, times, lists and choices become each other', async () => {
  const one = async (from: ColumnSchema, to: ColumnSchema, cell: string) => {
    const converted = castCell(kindOf(from), kindOf(to), sql`t.v`);
    if (!converted) return 'never';
    const type = kindOf(from).list ? `${columnType(kindOf(from).type).bind}[]` : columnType(kindOf(from).type).bind;
    const [row] = await store.database.query({
      text: toStatement(sql`select (${converted})::text from (select v) t`).text.replace(
        '(select v)',
        `(select $1::${type} as v)`,
      ),
      values: [cell],
    });
    return row?.[0] ?? null;
  };
  const tags = column('t', 'multi_select');
  const status = column('s', 'single_select');
  expect(await one(column('a', 'decimal'), column('b', 'integer'), '7.00')).toBe('7');
  expect(await one(column('a', 'decimal'), column('b', 'integer'), '7.5')).toBeNull();
  expect(await one(column('a', 'integer'), column('b', 'rating', { options: { max: 5 } }), '6')).toBeNull();
  expect(await one(column('a', 'datetime'), column('b', 'date'), '2026-01-01T23:00:00Z')).toBe('2026-01-01');
  expect(await one(column('a', 'date'), column('b', 'datetime'), '2026-01-01')).toBe('2026-01-01 00:00:00+00');
  expect(await one(column('a', 'datetime'), column('b', 'text'), '2026-01-01T23:00:00Z')).toBe(
    '2026-01-01T23:00:00.000Z',
  );
  expect(await one(tags, status, '{lost}')).toBe('lost');
  expect(await one(tags, status, '{lost,open}')).toBeNull();
  expect(await one(tags, column('b', 'text'), '{lost,open}')).toBe('Lost for good, Open');
  expect(await one(status, tags, 'lost')).toBe('{lost}');
  const person = newId();
  expect(await one(column('a', 'user'), column('b', 'user', { options: { multiple: true } }), person)).toBe(
    `{${person}}`,
  );
  expect(await one(column('a', 'user'), column('b', 'text'), person)).toBe('never');
  expect(await one(column('a', 'text'), column('b', 'user'), person)).toBe('never');
});

it('a look at rows whose structure has just become another one is refused as that', async () => {
  for (const [schema, name] of [
    ['nowhere', 'x'],
    ['public', 'nothing'],
  ] as const)
    await expect(store.schema.look(sql`select from ${ident(schema, name)}`)).rejects.toMatchObject({
      code: 'schema_busy',
    });
});
