import { Problem } from '../../common/index.js';

/*
 * JSON text of values in PostgreSQL's binary form, byte for byte what PostgreSQL itself makes of them: `to_json` of texts, `::text` of numbers
 * and days, ISO 8601 in UTC with milliseconds of moments. The forms are those of the functions `…send` of the types
 * (src/backend/utils/adt of PostgreSQL): everything big-endian, days and microseconds since 2000-01-01.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const LAST_OF_BC = 0x43;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** `000102…ff` and `000102…99`: two bytes for each number. */
const HEX = ascii(Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0')).join(''));
const PAIRS = ascii(Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0')).join(''));
const TRUE = ascii('true');
const FALSE = ascii('false');
const NULL = ascii('null');
const INFINITY = ascii('infinity');
const MINUS_INFINITY = ascii('-infinity');

/** What stands behind the backslash, of the characters that have a letter. */
const ESCAPES = new Map([...'\b\f\n\r\t"\\'].map((c, i) => [c.charCodeAt(0), 'bfnrt"\\'.charCodeAt(i)]));

/** Big-endian, with its sign. Half of the time of `Buffer.readInt32BE`, which looks at its arguments each time. */
export const int32 = (from: Buffer, at: number): number =>
  ((from[at] ?? 0) << 24) | ((from[at + 1] ?? 0) << 16) | ((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0);

/** What a byte of a text becomes at most: `\u001f`. */
export const WORST = 6;

/** From 0000-03-01, where {@link textOfDay} begins to count, to 2000-01-01. */
const DAYS_TO_2000 = 730_425;
const DAY_MS = 86_400_000;

/** Kept for the next page unless it has grown beyond that. */
const KEPT_BYTES = 1 << 20;
const FIRST_BYTES = 1 << 17;
/** From here on what the engine does of its own is faster than byte by byte, for all that it makes a text of it first. */
const LONG = 500;
/** The longest text that V8 makes. */
const MOST_BYTES = 0x1fff_ffe8;

/** Text that is being written. There is room for {@link WORST} times what is put in by {@link reserve}, but for decimals, which see to it themselves. */
export class JsonBytes {
  private out = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;
  /** Of all bytes of texts and keys, by or: below 128 where every character is ASCII. */
  private seen = 0;
  private readonly days = new Days();

  /** @param most bytes of a text */
  constructor(private readonly most = MOST_BYTES) {}

  /**
   * What is written meanwhile. Nothing of it stays, also where it fails: what comes next is somebody else's.
   * @throws Problem `limit_reached` it is longer than texts can be
   */
  whole(write: () => void): string {
    try {
      write();
      this.mustFit();
      return this.out.toString(this.seen < 128 ? 'latin1' : 'utf8', 0, this.at);
    } finally {
      this.at = 0;
      this.seen = 0;
      if (this.out.length > KEPT_BYTES) this.out = Buffer.allocUnsafe(FIRST_BYTES);
    }
  }

  private mustFit(): void {
    if (this.at > this.most)
      throw new Problem('limit_reached', { detail: 'The answer would be too large. Ask for fewer rows (limit).' });
  }

  reserve(bytes: number): void {
    if (this.at + bytes <= this.out.length) return;
    this.mustFit();
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.at + bytes));
    this.out.copy(larger, 0, 0, this.at);
    this.out = larger;
  }

  /** Looks once at what is written by {@link constant} row by row; what is not ASCII has to be announced. */
  announce(bytes: Uint8Array): void {
    for (const byte of bytes) this.seen |= byte;
  }

  constant(bytes: Uint8Array): void {
    const { out, at } = this;
    for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i] ?? 0;
    this.at = at + bytes.length;
  }

  null(): void {
    this.constant(NULL);
  }

  /** JSON text as it is. */
  raw(from: Buffer, start: number, length: number): void {
    if (length > LONG) {
      this.seen |= 128;
      this.at += from.copy(this.out, this.at, start, start + length);
      return;
    }
    const { out } = this;
    let { at, seen } = this;
    for (let i = start; i < start + length; i++) {
      const byte = from[i] ?? 0;
      seen |= byte;
      out[at++] = byte;
    }
    this.at = at;
    this.seen = seen;
  }

  text(from: Buffer, start: number, length: number): void {
    if (length > LONG) {
      this.seen |= 128;
      this.at += this.out.write(JSON.stringify(from.toString('utf8', start, start + length)), this.at);
      return;
    }
    const { out } = this;
    let { at, seen } = this;
    const end = start + length;
    out[at++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = from[i] ?? 0;
      seen |= byte;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) out[at++] = byte;
      else at = this.escape(byte, at);
    }
    out[at++] = QUOTE;
    this.at = at;
    this.seen = seen;
  }

  private escape(byte: number, start: number): number {
    const { out } = this;
    let at = start;
    const letter = ESCAPES.get(byte);
    out[at++] = BACKSLASH;
    if (letter !== undefined) out[at++] = letter;
    else at += out.write(`u${byte.toString(16).padStart(4, '0')}`, at, 'latin1');
    return at;
  }

  uuid(from: Buffer, start: number): void {
    const { out } = this;
    let { at } = this;
    out[at++] = QUOTE;
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) out[at++] = MINUS;
      const pair = (from[start + i] ?? 0) * 2;
      out[at++] = HEX[pair] ?? 0;
      out[at++] = HEX[pair + 1] ?? 0;
    }
    out[at++] = QUOTE;
    this.at = at;
  }

  boolean(from: Buffer, start: number): void {
    this.constant(from[start] === 0 ? FALSE : TRUE);
  }

  /** Of 2, 4 or 8 bytes. */
  integer(from: Buffer, start: number, length: number): void {
    if (length === 4) this.number(int32(from, start));
    else if (length === 2) this.number(from.readInt16BE(start));
    else this.long(from, start);
  }

  private long(from: Buffer, start: number): void {
    const high = int32(from, start);
    // Beyond 2^53 a number of JavaScript's is not exact any more.
    if (high >= 0x20_0000 || high < -0x20_0000)
      this.at += this.out.write(String(from.readBigInt64BE(start)), this.at, 'latin1');
    else this.number(high * 0x1_0000_0000 + (int32(from, start + 4) >>> 0));
  }

  private number(n: number): void {
    const { out } = this;
    if (n < 0) {
      out[this.at++] = MINUS;
      n = -n;
    }
    if (n >= 1_000_000_000) {
      this.at += out.write(String(n), this.at, 'latin1');
      return;
    }
    let rest = n | 0;
    let at = this.at + digits(rest);
    this.at = at;
    do {
      const tens = (rest / 10) | 0;
      out[--at] = ZERO + rest - tens * 10;
      rest = tens;
    } while (rest > 0);
  }

  /** In quotes: digits to the base 10,000, of which `weight` + 1 stand before the point, and `scale` decimal digits behind it. */
  decimal(from: Buffer, start: number): void {
    const count = from.readUInt16BE(start);
    const weight = from.readInt16BE(start + 2);
    const sign = from.readUInt16BE(start + 4);
    const scale = from.readUInt16BE(start + 6);
    this.reserve((Math.max(weight, 0) + 2) * 4 + scale + 8);
    const { out } = this;
    out[this.at++] = QUOTE;
    if (sign >= 0xc000) this.at += out.write(notFinite(sign), this.at, 'latin1');
    else {
      if (sign === 0x4000) out[this.at++] = MINUS;
      const digit = (i: number): number => (i >= 0 && i < count ? from.readUInt16BE(start + 8 + 2 * i) : 0);
      this.number(weight < 0 ? 0 : digit(0));
      for (let i = 1; i <= weight; i++) this.four(digit(i));
      if (scale > 0) {
        out[this.at++] = 0x2e;
        const end = this.at + scale;
        for (let i = weight + 1; this.at < end; i++) this.four(digit(i));
        this.at = end;
      }
    }
    out[this.at++] = QUOTE;
  }

  private four(n: number): void {
    const high = (n / 100) | 0;
    this.pair(high);
    this.pair(n - high * 100);
  }

  private pair(n: number): void {
    const { out } = this;
    out[this.at++] = PAIRS[2 * n] ?? 0;
    out[this.at++] = PAIRS[2 * n + 1] ?? 0;
  }

  date(from: Buffer, start: number): void {
    const { out } = this;
    const days = int32(from, start);
    out[this.at++] = QUOTE;
    if (days === 0x7fff_ffff) this.constant(INFINITY);
    else if (days === -0x8000_0000) this.constant(MINUS_INFINITY);
    else this.constant(this.days.text(days));
    out[this.at++] = QUOTE;
  }

  /** To the millisecond, what is beyond it left out; null of the infinite ones, as to_char says. */
  instant(from: Buffer, start: number): void {
    const [high, low] = [int32(from, start), int32(from, start + 4) >>> 0];
    if ((high === 0x7fff_ffff && low === 0xffff_ffff) || (high === -0x8000_0000 && low === 0)) {
      this.null();
      return;
    }
    this.out[this.at++] = QUOTE;
    // 2^32 microseconds are 4,294,967 milliseconds and 296 microseconds: as one number they would not be exact.
    this.moment(high * 4_294_967 + Math.floor((high * 296 + low) / 1000));
    this.out[this.at++] = QUOTE;
  }

  /** Of milliseconds since 2000-01-01. */
  private moment(ms: number): void {
    const { out } = this;
    const days = Math.floor(ms / DAY_MS);
    const time = ms - days * DAY_MS;
    const seconds = (time / 1000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    const day = this.days.text(days);
    // to_char gives years before the first no name.
    this.constant(day.at(-1) === LAST_OF_BC ? day.subarray(0, -' BC'.length) : day);
    out[this.at++] = 0x54;
    this.pair(hours);
    out[this.at++] = 0x3a;
    this.pair(minutes - hours * 60);
    out[this.at++] = 0x3a;
    this.pair(seconds - minutes * 60);
    out[this.at++] = 0x2e;
    const fraction = time - seconds * 1000;
    const hundreds = (fraction / 100) | 0;
    out[this.at++] = ZERO + hundreds;
    this.pair(fraction - hundreds * 100);
    out[this.at++] = 0x5a;
  }
}

/** Texts `YYYY-MM-DD` of days counted from 2000-01-01: the rows of a page have few. */
class Days {
  private readonly known = new Array<readonly [days: number, text: Uint8Array] | undefined>(256);

  text(days: number): Uint8Array {
    const place = days & 255;
    const known = this.known[place];
    if (known?.[0] === days) return known[1];
    const text = textOfDay(days);
    this.known[place] = [days, text];
    return text;
  }
}

/**
 * The day of the proleptic Gregorian calendar, by eras of 400 years that begin in March, so that the day that leap years have more is a year's last
 * (H. Hinnant, chrono-compatible low-level date algorithms, civil_from_days).
 */
function textOfDay(days: number): Uint8Array {
  const since = days + DAYS_TO_2000;
  const era = Math.floor(since / 146_097);
  const ofEra = since - era * 146_097;
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0;
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const fromMarch = ((5 * ofYear + 2) / 153) | 0;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const day = ofYear - (((153 * fromMarch + 2) / 5) | 0) + 1;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 1 || year > 9999) return ascii(oddDay(year, month, day));
  const text = Uint8Array.of(0, 0, 0, 0, MINUS, 0, 0, MINUS, 0, 0);
  const century = (year / 100) | 0;
  setPair(text, 0, century);
  setPair(text, 2, year - century * 100);
  setPair(text, 5, month);
  setPair(text, 8, day);
  return text;
}

/** No value of ours, but somebody else may have put it in. */
function oddDay(year: number, month: number, day: number): string {
  const pad = (n: number, length: number): string => String(n).padStart(length, '0');
  return `${pad(year < 1 ? 1 - year : year, 4)}-${pad(month, 2)}-${pad(day, 2)}${year < 1 ? ' BC' : ''}`;
}

function setPair(text: Uint8Array, at: number, n: number): void {
  text[at] = PAIRS[2 * n] ?? 0;
  text[at + 1] = PAIRS[2 * n + 1] ?? 0;
}

function digits(n: number): number {
  if (n < 10_000) return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : 4;
  if (n < 1_000_000) return n < 100_000 ? 5 : 6;
  return n < 10_000_000 ? 7 : n < 100_000_000 ? 8 : 9;
}

/** Of the sign of a numeric. */
const notFinite = (sign: number): string => (sign === 0xd000 ? 'Infinity' : sign === 0xf000 ? '-Infinity' : 'NaN');
