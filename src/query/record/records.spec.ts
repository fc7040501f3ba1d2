import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LentText } from '../../common/index.js';
import { JsonBytes, sourceOf } from './json-bytes.js';
import { JsonValues } from './json-values.js';
import { between } from './piece.js';
import type { RecordTemplate } from './record-template.js';
import { Records } from './records.js';
import type { RecordForm } from './wire-form.js';

/* Values in the binary forms of PostgreSQL, as its own functions make them (see records.engine-spec for those), and what is written of them. */

const bytesOf = (size: number, write: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
};
const int32 = (n: number): Buffer => bytesOf(4, (bytes) => bytes.writeInt32BE(n));
const int64 = (n: bigint): Buffer => bytesOf(8, (bytes) => bytes.writeBigInt64BE(n));

const DAY = 86_400_000;
const MILLENNIUM = Date.UTC(2000, 0, 1);

/** A record of fields, of which null is none. */
const record = (fields: readonly (Buffer | null)[]): Buffer =>
  Buffer.concat([
    int32(fields.length),
    ...fields.flatMap((field) => [int32(25), int32(field === null ? -1 : field.length), ...(field ? [field] : [])]),
  ]);

const template = (forms: readonly RecordForm[]): RecordTemplate => ({
  slots: forms.map((form, field) => ({ before: between(field === 0 ? '[' : ','), field, form })),
  end: between(']'),
});

const written = (form: RecordForm, bytes: Buffer | null): string =>
  Records.in(record([bytes]))
    .text(template([form]), 0)
    .slice(1, -1);

describe('what is written of a value', () => {
  it('is for texts what JSON.stringify makes of them, whatever they hold', () => {
    const control = String.fromCharCode(...Array.from({ length: 0x80 }, (_, i) => i));
    for (const text of ['', control, 'é', '中', '😀', '\u2028', 'a'.repeat(300_000), '"'.repeat(100_000)])
      expect(written('text', Buffer.from(text)) === JSON.stringify(text)).toBe(true);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(written('text', Buffer.from(text))).toBe(JSON.stringify(text.toWellFormed()));
      }),
    );
  });

  it('is for texts the same wherever a character stands that has to be escaped, and however long they are', () => {
    for (const special of ['"', '\\', '\n', '\0', '\u001f', '\u007f', 'é', '\u2028', '😀'])
      for (let length = 0; length < 12; length++)
        for (let at = 0; at <= length; at++) {
          const text = 'abcdefghijkl'.slice(0, at) + special + 'abcdefghijkl'.slice(at, length);
          expect(written('text', Buffer.from(text))).toBe(JSON.stringify(text));
          const json = JSON.stringify([text]);
          expect(written('json', Buffer.from(json))).toBe(json);
        }
    for (const length of [1_999, 2_000, 2_001, 2_002]) {
      const text = `"${'a'.repeat(length - 1)}`;
      expect(written('text', Buffer.from(text)) === JSON.stringify(text)).toBe(true);
    }
  });

  it('is for whole numbers of every length all of their digits', () => {
    expect(
      written(
        'integer',
        bytesOf(2, (bytes) => bytes.writeInt16BE(-32_768)),
      ),
    ).toBe('-32768');
    const edges = [0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 2 ** 31 - 1];
    for (const n of [...edges, ...edges.map((each) => -each), -(2 ** 31)])
      expect(written('integer', int32(n))).toBe(String(n === 0 ? 0 : n));
    for (const n of [2n ** 53n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 0n])
      for (const each of [n, -n, -n - 1n]) expect(written('integer', int64(each))).toBe(String(each));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        expect(written('integer', int64(n))).toBe(String(n));
      }),
    );
  });

  it('is for days and moments what Date says of them', () => {
    const instant = fc.integer({ min: Date.parse('0001-01-01'), max: Date.parse('9999-12-31T23:59:59.999Z') });
    fc.assert(
      fc.property(instant, fc.integer({ min: 0, max: 999 }), (ms, micros) => {
        const iso = new Date(ms).toISOString();
        expect(written('date', int32(Math.floor((ms - MILLENNIUM) / DAY)))).toBe(`"${iso.slice(0, 10)}"`);
        const since = BigInt(ms - MILLENNIUM) * 1000n + BigInt(micros);
        expect(written('instant', int64(since))).toBe(`"${iso}"`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is for a day the same when nothing was written before', () => {
    for (const days of [0, 1, -1, 4_095, 4_096, -4_096, -(2 ** 31), 2 ** 31 - 1]) {
      const json = new JsonValues();
      const first = json.whole(() => {
        json.date(sourceOf(int32(days)), 0);
      });
      expect(first).toBe(written('date', int32(days)));
    }
  });

  it('is for days and moments that are none of ours what PostgreSQL calls them', () => {
    expect(written('date', int32(2 ** 31 - 1))).toBe('"infinity"');
    expect(written('date', int32(-(2 ** 31)))).toBe('"-infinity"');
    expect(written('date', int32(-730_120))).toBe('"0001-12-31 BC"');
    expect(written('date', int32(2_921_940))).toBe('"10000-01-01"');
    expect(written('instant', int64(2n ** 63n - 1n))).toBe('null');
    expect(written('instant', int64(-(2n ** 63n)))).toBe('null');
    expect(written('instant', int64(-730_120n * 86_400_000_000n))).toBe('"0001-12-31T00:00:00.000Z"');
  });

  it('is for everything else its text', () => {
    const uuid = '0199e0c2-4b1d-7f00-8a9b-0123456789ab';
    expect(written('uuid', Buffer.from(uuid.replaceAll('-', ''), 'hex'))).toBe(`"${uuid}"`);
    expect(written('boolean', Buffer.of(1))).toBe('true');
    expect(written('boolean', Buffer.of(0))).toBe('false');
    expect(written('json', Buffer.from('{"a":["é"]}'))).toBe('{"a":["é"]}');
    // 1,234.5: two digits to the base 10,000 before and one behind the point, one decimal.
    const number = (weight: number, sign: number, scale: number, digits: readonly number[]): Buffer =>
      bytesOf(8 + 2 * digits.length, (bytes) => {
        [digits.length, weight, sign, scale, ...digits].forEach((n, i) => bytes.writeUInt16BE(n & 0xffff, 2 * i));
      });
    expect(written('decimal', number(0, 0, 1, [1234, 5000]))).toBe('"1234.5"');
    expect(written('decimal', number(1, 0x4000, 2, [12, 34, 5600]))).toBe('"-120034.56"');
    expect(written('decimal', number(-2, 0, 8, [1234]))).toBe('"0.00001234"');
    expect(written('decimal', number(0, 0, 0, []))).toBe('"0"');
    expect(written('decimal', number(2, 0, 0, [1]))).toBe('"100000000"');
    expect(written('decimal', number(0, 0, 3, [7]))).toBe('"7.000"');
    expect(written('decimal', number(0, 0xc000, 0, []))).toBe('"NaN"');
    // Longer than what it is sent in.
    expect(written('decimal', number(9_999, 0, 0, [1]))).toBe(`"1${'0'.repeat(4 * 9_999)}"`);
  });

  it('is null for what is not there', () => {
    const ours = ['json', 'text', 'uuid', 'integer', 'decimal', 'boolean', 'date', 'instant'] as const;
    const forms = [...ours, 'bigint', 'float', 'zoned', 'local', 'bytea'] as const;
    for (const form of forms) expect(written(form, null)).toBe('null');
  });
});

describe('what is written of a value of somebody else', () => {
  it('is for whole numbers of 64 bits all digits, in quotes', () => {
    for (const n of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) expect(written('bigint', int64(n))).toBe(`"${n}"`);
  });

  it('is for floating-point numbers what they are without an exponent', () => {
    const texts = {
      '1.5': '1.5',
      '-0': '0',
      '1e+22': `1${'0'.repeat(22)}`,
      '-1.25e-07': '-0.000000125',
      '1.2345e+02': '123.45',
      NaN: 'NaN',
    };
    for (const [text, plain] of Object.entries(texts)) expect(written('float', Buffer.from(text))).toBe(`"${plain}"`);
  });

  it('is for moments as exact as they are, and beyond the years that we know as PostgreSQL has it', () => {
    expect(written('zoned', int64(0n))).toBe('"2000-01-01T00:00:00.000Z"');
    expect(written('local', int64(-1n))).toBe('"1999-12-31T23:59:59.999999Z"');
    expect(written('zoned', int64(120_300n))).toBe('"2000-01-01T00:00:00.1203Z"');
    const last = 2_921_940n * 86_400_000_000n;
    expect(written('zoned', int64(last - 1n))).toBe('"9999-12-31T23:59:59.999999Z"');
    expect(written('zoned', int64(last + 1_500_000n))).toBe('"10000-01-01 00:00:01.5+00"');
    expect(written('local', int64(-730_120n * 86_400_000_000n))).toBe('"0001-12-31 00:00:00 BC"');
    expect(written('zoned', int64(-730_120n * 86_400_000_000n))).toBe('"0001-12-31 00:00:00+00 BC"');
    expect(written('local', int64(2n ** 63n - 1n))).toBe('"infinity"');
    expect(written('zoned', int64(-(2n ** 63n)))).toBe('"-infinity"');
  });

  it('is for bytes their digits', () => {
    expect(written('bytea', Buffer.from('00ff10', 'hex'))).toBe(String.raw`"\\x00ff10"`);
    expect(written('bytea', Buffer.alloc(0))).toBe(String.raw`"\\x"`);
  });
});

describe('records', () => {
  const text = (value: string): Buffer => Buffer.from(value);

  it('are written one behind the other, those that were asked for', () => {
    const rows = ['a', 'b', 'c', 'd'].map((each, i) => record([text(each), null, int32(i)]));
    const records = Records.in(Buffer.concat(rows));
    const shape = template(['text', 'text', 'integer']);
    expect(records.count).toBe(4);
    expect(records.texts(shape, 1, 3, between(',\n'))).toBe('["b",null,1],\n["c",null,2]');
    expect(records.texts(shape, 2, 2, between(','))).toBe('');
  });

  it('may be written in another order, with fields left out or twice', () => {
    const records = Records.in(record([text('a'), text('b'), text('c')]));
    const slots = [2, 0, 0].map((field) => ({ before: between(' '), field, form: 'text' as const }));
    expect(records.text({ slots, end: between('.') }, 0)).toBe(' "c" "a" "a".');
  });

  it('have keys of any characters, whatever the values are', () => {
    for (const value of ['plain', 'plän', '价']) {
      const records = Records.in(record([text(value)]));
      const slots = [{ before: between('{"größe, 价格":'), field: 0, form: 'text' as const }];
      const row = JSON.stringify({ 'größe, 价格': value });
      expect(records.text({ slots, end: between('}') }, 0)).toBe(row);
      expect(records.texts({ slots, end: between('}') }, 0, 1, between(','))).toBe(row);
    }
  });

  it('do not keep what was written before, nor the memory of a large page', () => {
    const large = Records.in(record([text('é'.repeat(2_000_000))]));
    expect(large.text(template(['text']), 0)).toHaveLength(2_000_004);
    const small = Records.in(record([text('a')]));
    expect(small.text(template(['text']), 0)).toBe('["a"]');
  });

  it('are lent where they are long, and the same', () => {
    const shape = template(['text', 'text']);
    const listOf = (length: number, letter: string) => {
      const row = record([text(letter.repeat(length)), null]);
      return Records.in(Buffer.concat(Array.from({ length: 100 }, () => row)));
    };
    const held: [string | LentText, string][] = [];
    for (const [length, isLent] of [
      [10, false],
      [300, false],
      [330, true],
      [1_200, true],
      [1_300, false],
      [20_000, false],
      [500, true],
    ] as const)
      // prettier-ignore
      for (const letter of ['a', 'é', '\u0001']) {
        const bytes = length / (letter === 'é' ? 2 : letter === 'a' ? 1 : 6);
        const rows = listOf(Math.round(bytes), letter);
        const found = rows.lentTexts(shape, 0, 100, between(',\n'));
        expect([length, letter, typeof found]).toEqual([length, letter, isLent ? 'object' : 'string']);
        held.push([found, rows.texts(shape, 0, 100, between(',\n'))]);
      }
    // Whatever was written since.
    for (const [found, right] of held) expect(String(found) === right).toBe(true);
    for (const [found] of held) if (typeof found !== 'string') found.giveBack();
    expect(listOf(0, '').lentTexts(shape, 3, 3, between(','))).toBe('');
  });

  it('are not lent to so many that there is no end of the memory', () => {
    const rows = Records.in(Buffer.concat(Array.from({ length: 100 }, () => record([text('a'.repeat(400))]))));
    const all = Array.from({ length: 100 }, () => rows.lentTexts(template(['text']), 0, 100, between(',')));
    expect(all.filter((each) => typeof each !== 'string')).toHaveLength(64);
    expect(new Set(all.map(String)).size).toBe(1);
    for (const each of all) if (typeof each !== 'string') each.giveBack();
    const [again] = [rows.lentTexts(template(['text']), 0, 100, between(','))];
    expect(typeof again).toBe('object');
    if (typeof again !== 'string') again.giveBack();
  });

  it('leave nothing behind when one of them cannot be written', () => {
    // No number has so few bytes: what stands in front of it is written when it fails.
    const broken = Records.in(record([text('of somebody else'), text('')]));
    expect(() => broken.text(template(['text', 'decimal']), 0)).toThrow(RangeError);
    expect(() => broken.texts(template(['text', 'decimal']), 0, 1, between(','))).toThrow(RangeError);
    expect(Records.in(record([text('a')])).text(template(['text']), 0)).toBe('["a"]');
  });

  it('that make more than a text can hold are refused, and nothing of them stays', () => {
    const json = new JsonBytes(300_000);
    const bytes = Buffer.alloc(100_000, 'a');
    const written = (times: number): string =>
      json.whole(() => {
        for (let i = 0; i < times; i++) {
          json.reserve(bytes.length);
          json.raw(sourceOf(bytes), 0, bytes.length);
        }
      });
    expect(written(3)).toHaveLength(300_000);
    expect(() => written(4)).toThrow(expect.objectContaining({ code: 'limit_reached' }));
    expect(written(1)).toHaveLength(100_000);
  });

  it('that are cut are refused', () => {
    const whole = record([text('a'), text('b')]);
    for (let length = 1; length < whole.length; length++)
      expect(() => Records.in(whole.subarray(0, length))).toThrow('not a list of records');
    expect(Records.in(Buffer.alloc(0)).count).toBe(0);
  });
});
