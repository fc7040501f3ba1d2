import { sourceOf } from './json-bytes.js';
import { FLOAT } from './plain-decimal.js';
import { Records } from './records.js';
import type { RecordForm } from './wire-form.js';

/** Bytes that fields of a form have, where it is always as many. */
const SIZES: Readonly<Partial<Record<RecordForm, number>>> = {
  uuid: 16,
  integer: 8,
  bigint: 8,
  boolean: 1,
  date: 4,
  instant: 8,
  zoned: 8,
  local: 8,
};
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const LARGEST_SCALE = 0x3fff;
/** Positive, negative, not a number, and the two infinite ones. */
const SIGNS = [0, 0x4000, 0xc000, 0xd000, 0xf000];

/**
 * Records that may come from anybody, judged before anything is written of them: that they are records of fields in these forms one behind the other, at most so
 * many, and that whatever is passed on unread is one JSON value on one line.
 * @throws Error where they are not
 */
export function checkedRecords(bytes: Buffer, forms: readonly RecordForm[], most: number): Records {
  const from = sourceOf(bytes);
  const { view } = from;
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    if (starts.length === most || at + 4 > bytes.length || view.getInt32(at) !== forms.length) throw notAsked();
    starts.push(at);
    at += 4;
    for (const form of forms) {
      const start = at + 8;
      if (start > bytes.length) throw notAsked();
      const size = view.getInt32(start - 4);
      at = start + Math.max(0, size);
      if (size < -1 || at > bytes.length) throw notAsked();
      if (size >= 0) checkField(form, bytes, start, size);
    }
  }
  return new Records(from, starts);
}

function checkField(form: RecordForm, bytes: Buffer, start: number, size: number): void {
  const fits = SIZES[form];
  if (fits === undefined ? isOf(form, bytes, start, size) : size === fits) return;
  throw notAsked();
}

function isOf(form: RecordForm, bytes: Buffer, start: number, size: number): boolean {
  switch (form) {
    case 'decimal':
      return isDecimal(bytes, start, size);
    case 'float':
      return size < 50 && FLOAT.test(bytes.toString('latin1', start, start + size));
    case 'json':
      return isJson(bytes.subarray(start, start + size));
    default:
      return true;
  }
}

function isDecimal(bytes: Buffer, start: number, size: number): boolean {
  if (size < 8 || size !== 8 + 2 * bytes.readUInt16BE(start)) return false;
  if (!SIGNS.includes(bytes.readUInt16BE(start + 4)) || bytes.readUInt16BE(start + 6) > LARGEST_SCALE) return false;
  for (let at = start + 8; at < start + size; at += 2) if (bytes.readUInt16BE(at) > 9_999) return false;
  return true;
}

/** Rows are told apart by line ends. */
function isJson(bytes: Buffer): boolean {
  if (bytes.includes(LINE_FEED) || bytes.includes(CARRIAGE_RETURN)) return false;
  // What is none throws.
  JSON.parse(bytes.toString('utf8'));
  return true;
}

const notAsked = (): Error => new Error('not the records that were asked for');
