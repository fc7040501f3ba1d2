import { describe, expect, it } from '@jest/globals';
import type { ExternalLimits } from '../../src/engines/external/index.js';
import { PostgresEngine } from '../../src/engines/external/postgres/index.js';
import { afterThisFile, waitFor } from '../harness/index.js';
import { ANYWHERE, LIMITS, objectOf, readOf, target } from '../support/external.js';
import {
  dataRow,
  description,
  done,
  hostilePostgres,
  int16,
  int32,
  message,
  READY,
  refusal,
  sendBytes,
  sendRows,
  type PostgresScript,
  type PostgresTalk,
} from '../support/hostile-postgres.js';
import { below, randomOf } from '../support/random.js';

/* Servers that make records as PostgreSQL does until somebody believes them. */

const SHORT: ExternalLimits = { ...LIMITS, connectMs: 5_000, statementMs: 2_000, maxBytes: 1_000_000 };
const LIMIT = 3;

const FORMS = {
  id: ['integer', 'int'],
  name: ['text', 'text'],
  price: ['decimal', 'numeric'],
  weight: ['decimal', 'double'],
  open: ['boolean', 'boolean'],
  due: ['date', 'date'],
  seen: ['datetime', 'timestamptz'],
  key: ['text', 'uuid'],
  data: ['json', 'jsonb'],
} as const;
const KEYS = Object.keys(FORMS) as (keyof typeof FORMS)[];
const OBJECT = objectOf({
  schema: 'public',
  name: 'things',
  kind: 'table',
  columns: KEYS.map((key) => ({
    key,
    nativeType: FORMS[key][1],
    type: FORMS[key][0],
    form: FORMS[key][1],
    options: {},
    nullable: key !== 'id',
  })),
  primaryKey: ['id'],
  uniqueKeys: [],
  foreignKeys: [],
  estimatedRows: null,
});

/** With a value, so that it goes by the extended protocol either way. */
const where = { kind: 'compare', column: OBJECT.columns[0], op: 'gt', value: 0 } as never;

type Cells = Readonly<Record<keyof typeof FORMS, Buffer | null>>;
const GOOD: Cells = {
  id: Buffer.from('0000000000000007', 'hex'),
  name: Buffer.from('Ada'),
  price: Buffer.from('0002000000000001000c1388', 'hex'),
  weight: Buffer.from('1.5e-07'),
  open: Buffer.of(1),
  due: int32(0),
  seen: Buffer.from('0000000000000001', 'hex'),
  key: Buffer.alloc(16, 0xab),
  data: Buffer.from('{"a": [1]}'),
};
const ROW = '{"fields":{"id":7,"name":"Ada","price":"12.5","weight":"0.00000015","open":true,"due":"2000-01-01","seen":"2000-01-01T00:00:00.000001Z",'
  + '"key":"abababab-abab-abab-abab-abababababab","data":{"a": [1]}}}'; // prettier-ignore

const field = (cell: Buffer | null): Buffer =>
  cell === null ? Buffer.concat([int32(25), int32(-1)]) : Buffer.concat([int32(25), int32(cell.length), cell]);
const record = (over: Partial<Cells> = {}): Buffer =>
  Buffer.concat([int32(KEYS.length), ...KEYS.map((key) => field({ ...GOOD, ...over }[key]))]);

const records = (...of: readonly Buffer[]): PostgresScript => ({
  records: (talk) => sendBytes(talk, Buffer.concat(of)),
  execute: (talk) => talk.send(refusal('XX000', 'was asked another way'), READY),
});

/** What a page of such a server comes to: never a part of it, and soon. */
async function verdict(script: PostgresScript, limits = SHORT) {
  const server = await hostilePostgres(script);
  const engine = new PostgresEngine(target({ engine: 'postgresql', port: server.port }), limits, ANYWHERE);
  afterThisFile(() => engine.close());
  const page = await engine.read(readOf(OBJECT, { limit: LIMIT, where })).then(
    (answer) => ({ code: 'answered', ...answer }),
    (thrown: unknown) => ({ code: (thrown as { code: unknown }).code, data: undefined, rows: 0, next: undefined }),
  );
  await engine.close();
  await waitFor(() => server.open() === 0);
  return page;
}

it('a server that does as it should is understood, up to the row that tells of another page', async () => {
  expect(await verdict(records(record()))).toEqual({ code: 'answered', data: ROW, rows: 1 });
  const four = Array.from({ length: LIMIT + 1 }, () => record());
  expect(await verdict(records(...four))).toEqual({
    code: 'answered',
    data: [ROW, ROW, ROW].join(',\n'),
    rows: 3,
    next: [7],
  });
  const nulls = Object.fromEntries(KEYS.map((key) => [key, null])) as unknown as Cells;
  const { data } = await verdict(records(record(nulls)));
  expect(JSON.parse(String(data))).toEqual({ fields: nulls });
});

it('no rows are no value', async () => {
  const nothing = (talk: PostgresTalk) =>
    talk.send(description(1, 1), message('D', int16(1), int32(-1)), done('SELECT 1'), READY);
  expect(await verdict({ records: nothing })).toEqual({ code: 'answered', data: '', rows: 0 });
});

describe('bytes that are not the records that were asked for', () => {
  const whole = record();
  const changed = (at: number, bytes: Buffer): Buffer => {
    const copy = Buffer.from(whole);
    bytes.copy(copy, at);
    return copy;
  };
  it.each([
    ['cut', whole.subarray(0, -1)],
    ['cut in the head of a field', whole.subarray(0, 10)],
    ['with bytes behind', Buffer.concat([whole, Buffer.alloc(3)])],
    ['of no fields', int32(0)],
    ['of fewer fields', Buffer.concat([int32(1), field(GOOD.id)])],
    ['of more fields', Buffer.concat([int32(KEYS.length + 1), whole.subarray(4), field(null)])],
    ['of less than no fields', changed(0, int32(-1))],
    ['of two thousand million fields', changed(0, int32(0x7fffffff))],
    ['with a field of less than nothing', changed(8, int32(-2))],
    ['with a field of two thousand million bytes', changed(8, int32(0x7fffffff))],
    ['with a field that takes some of the next', changed(8, int32(9))],
    ['one row more than can be', Buffer.concat(Array.from({ length: LIMIT + 2 }, () => whole))],
  ])('(%s) give no page', async (_what, bytes) => {
    expect(await verdict(records(bytes))).toMatchObject({ code: 'source_failed' });
    expect(await verdict(records(whole, bytes))).toMatchObject({ code: 'source_failed' });
  });

  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  const CELLS: readonly (readonly [keyof Cells, string, Buffer])[] = [
    ...(['id', 'open', 'due', 'seen', 'key'] as const).flatMap((key) => [
      [key, 'of no bytes', Buffer.alloc(0)] as const,
      [key, 'of three bytes', Buffer.alloc(3)] as const,
    ]),
    ['price', 'without a head', bytes('0000')],
    ['price', 'of more digits than there are', bytes('0003000000000001000c1388')],
    ['price', 'of fewer digits than there are', bytes('0001000000000001000c1388')],
    ['price', 'with a sign that is none', bytes('0002000000010001000c1388')],
    ['price', 'with digits that are none', bytes('00020000000000010001ffff')],
    ['price', 'with too many decimals', bytes('000200000000ffff000c1388')],
    ['weight', 'of nothing', Buffer.alloc(0)],
    ['weight', 'of words', Buffer.from('","admin":true,"x":"')],
    ['weight', 'with an exponent beyond all', Buffer.from('1e+9999999')],
    ['data', 'of nothing', Buffer.alloc(0)],
    ['data', 'no JSON', Buffer.from('{"a":')],
    ['data', 'that ends the row and begins another', Buffer.from('1}},{"fields":{"id":8')],
    ['data', 'of two values', Buffer.from('1,2')],
    ['data', 'on two lines', Buffer.from('[1,\n2]')],
    ['data', 'on two lines of old', Buffer.from('[1,\r2]')],
    ['data', 'that is no UTF-8', bytes('c3')],
  ];
  it.each(CELLS)('give none for a cell: %s %s', async (key, _what, cell) => {
    expect(await verdict(records(record(), record({ [key]: cell })))).toMatchObject({ code: 'source_failed' });
  });

  it('cannot end a text before its end, by whatever bytes', async () => {
    const names = ['"', '\\', '\n', '\0', '"}},{"fields":{'].map((text) => Buffer.from(text));
    for (const name of [
      ...names,
      bytes('c3'),
      bytes('e282'),
      bytes('f09f98'),
      bytes('ff'),
      bytes('c328'),
      Buffer.alloc(2_000, 0xf0),
    ]) {
      const { code, data } = await verdict(records(record({ name }), record({ name })));
      expect(code).toBe('answered');
      const rows = JSON.parse(`[${String(data)}]`) as { fields: Record<string, unknown> }[];
      expect(rows.map(({ fields }) => Object.keys(fields))).toEqual([KEYS, KEYS]);
      expect(rows[0]?.fields.name).toBe(name.toString());
      expect(rows[0]?.fields.id).toBe(7);
    }
  });

  it('make no page of anything else by chance', async () => {
    const numbers = randomOf(20_261_128);
    const good = Buffer.concat([record(), record()]);
    const spoilt = Array.from({ length: 60 }, () => {
      const copy = Buffer.from(good);
      for (let n = 1 + below(numbers, 4); n > 0; n--) copy[below(numbers, copy.length)] = below(numbers, 256);
      return copy;
    });
    const noise = Array.from({ length: 20 }, () =>
      Buffer.from(Array.from({ length: below(numbers, 200) }, () => below(numbers, 256))),
    );
    for (const each of [...spoilt, ...noise]) {
      const { code, data, rows } = await verdict(records(each));
      expect(code).toEqual(expect.stringMatching(/^(answered|source_failed)$/));
      const page = JSON.parse(`[${data ?? ''}]`) as { fields: object }[];
      expect(page).toHaveLength(rows);
      for (const { fields } of page) expect(Object.keys(fields)).toEqual(KEYS);
    }
  });
});

describe('an answer in another form', () => {
  const whole = record();
  const answer = (...messages: readonly Buffer[]): PostgresScript => ({
    ...records(),
    records: (talk) => talk.send(...messages),
  });
  it.each([
    ['texts', answer(description(1), dataRow(['\\x00']), done('SELECT 1'), READY)],
    ['two rows', answer(description(1, 1), dataRow([whole]), dataRow([whole]), done('SELECT 2'), READY)],
    ['no row', answer(description(1, 1), done('SELECT 0'), READY)],
    ['two columns', answer(description(2, 1), dataRow([whole, whole]), done('SELECT 1'), READY)],
    ['no column', answer(description(1, 1), message('D', int16(0)), done('SELECT 1'), READY)],
    ['no word that it was all', answer(description(1, 1), dataRow([whole]), READY)],
    ['a row before it is described', answer(dataRow([whole]), READY)],
    ['an error behind the row', answer(description(1, 1), dataRow([whole]), refusal('XX000', 'late'), READY)],
  ])('(%s) gives no page', async (_what, script) => {
    expect(await verdict(script)).toMatchObject({ code: 'source_failed' });
  });

  /** The driver would read on in the memory behind the message, where something of somebody else may be. */
  it.each([
    ['longer than its message', message('D', int16(1), int32(whole.length + 4_000), whole)],
    ['shorter than its message', message('D', int16(1), int32(whole.length - 1), whole)],
    ['of more cells than its message', message('D', int16(2), int32(whole.length), whole)],
    ['of a message without a number', message('D')],
  ])('(a row %s) is left at once', async (_what, row) => {
    for (const format of [0, 1])
      expect(await verdict(answer(description(1, format), row, done('SELECT 1'), READY))).toMatchObject({
        code: 'source_failed',
      });
  });

  it('(keys longer than their message) gives no cursor of what lies behind it', async () => {
    const json = `{${KEYS.map((key) => `"${key}":null`).join()}}`;
    const row = dataRow([json, '7']);
    const page = (last: Buffer): PostgresScript => {
      let asked = 0;
      const rows = [description(2), row, row, last, row, done('SELECT 4'), READY];
      return {
        execute: (talk) => (++asked === 1 ? talk.send(refusal('42883', 'no records'), READY) : talk.send(...rows)),
      };
    };
    expect(await verdict(page(row))).toMatchObject({ code: 'answered', rows: LIMIT, next: ['7'] });
    const long = message('D', int16(2), int32(json.length), json, int32(40), '7');
    expect(await verdict(page(long))).toMatchObject({ code: 'source_failed' });
  });
});

describe('a server that says too much', () => {
  it('in records without an end is left at the limit of bytes', async () => {
    const giant = (talk: PostgresTalk) => {
      talk.send(description(1, 1), Buffer.from('D'), int32(0x7fffffff), int16(1), int32(0x7ffffff0));
      talk.endlessly(() => talk.raw(Buffer.alloc(100_000)));
    };
    expect(await verdict({ records: giant })).toMatchObject({ code: 'answer_too_large' });
  });

  it('in few bytes that become many is told so before they are written', async () => {
    // A number of 16 bytes and 147,000 digits, and a text whose every byte takes six.
    const long = Buffer.from('00017fff00003fff0001', 'hex');
    const rows = Array.from({ length: LIMIT }, () => record({ price: long, name: Buffer.alloc(200_000, 1) }));
    expect(await verdict(records(...rows))).toMatchObject({ code: 'answer_too_large' });
    expect(await verdict(records(record({ price: long })))).toMatchObject({ code: 'answered', rows: 1 });
  });
});

describe('a server that does not make records', () => {
  const texts = (talk: PostgresTalk) => {
    const cells = KEYS.map((key) => `"${key}":null`).join();
    return sendRows(talk, [[`{${cells}}`, '7']], 2);
  };
  it.each([
    ['does not know how', refusal('42883', 'function record_send(record) does not exist')],
    ['may not', refusal('42501', 'permission denied for function record_send')],
    ['does not offer it', refusal('0A000', 'not supported')],
  ])('since it %s, is asked for texts', async (_why, words) => {
    let asked = 0;
    const execute = (talk: PostgresTalk) => (++asked === 1 ? talk.send(words, READY) : texts(talk));
    expect(await verdict({ execute })).toMatchObject({ code: 'answered', rows: 1 });
  });

  it('as PostgreSQL does is asked for texts', async () => {
    const others = [
      (talk: PostgresTalk) => sendBytes(talk, Buffer.from('other bytes')),
      (talk: PostgresTalk) => sendRows(talk, [['\\x00']]),
    ];
    for (const sample of others) {
      let asked = 0;
      const execute = (talk: PostgresTalk) => (++asked === 1 ? sample(talk) : texts(talk));
      expect(await verdict({ execute })).toMatchObject({ code: 'answered', rows: 1 });
    }
  });

  it('of this very page is asked for texts, whose refusal counts', async () => {
    const refuse = (talk: PostgresTalk) => talk.send(refusal('42846', 'cannot cast'), READY);
    for (const state of ['42846', '42883', '42501', '22P02', '22003', '54000']) {
      const records = (talk: PostgresTalk) => talk.send(refusal(state, 'not so'), READY);
      expect(await verdict({ records, execute: texts })).toMatchObject({ code: 'answered', rows: 1 });
    }
    const gone = (talk: PostgresTalk) => talk.send(refusal('42703', 'column does not exist'), READY);
    expect(await verdict({ records: refuse, execute: gone })).toMatchObject({ code: 'source_changed' });
  });

  it.each([
    ['22012', 'source_failed'],
    ['22021', 'source_failed'],
    ['42P01', 'source_changed'],
    ['42703', 'source_changed'],
    ['42P17', 'source_failed'],
  ])('whose refusal (%s) lies in what texts would ask for, too, is not asked again', async (state, code) => {
    let asked = 0;
    const records = (talk: PostgresTalk) => talk.send(refusal(state, 'not so'), READY);
    const execute = (talk: PostgresTalk) => (asked++, texts(talk));
    expect(await verdict({ records, execute })).toMatchObject({ code });
    expect(asked).toBe(0);
  });

  it('but is silent, or goes away, is not asked again', async () => {
    expect(await verdict({ records: () => undefined }, { ...SHORT, statementMs: 300 })).toMatchObject({
      code: 'source_timeout',
    });
    expect(await verdict({ records: (talk) => talk.socket.destroy(), execute: texts })).toMatchObject({
      code: 'source_failed',
    });
  });
});
