import { Problem } from '../../common/index.js';
import { BEFORE_CHRIST, Days, oddDay } from './days.js';
import { DECIMAL_PAIRS, digits, HEX_PAIRS } from './digits.js';
import { between, type Piece } from './piece.js';

/*
 * JSON text of values in PostgreSQL's binary form, byte for byte what PostgreSQL itself makes of them: `to_json` of texts, `::text` of numbers
 * and days, ISO 8601 in UTC with milliseconds of moments. The forms are those of the functions `…send` of the types
 * (src/backend/utils/adt of PostgreSQL): everything big-endian, days and microseconds since 2000-01-01.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

const TRUE = between('true');
const FALSE = between('false');
const NULL = between('null');

/** What stands behind the backslash, of the characters that have a letter. */
const ESCAPES = new Map([...'\b\f\n\r\t"\\'].map((c, i) => [c.charCodeAt(0), 'bfnrt"\\'.charCodeAt(i)]));

/** What a byte of a text becomes at most: `\u001f`. */
export const WORST = 6;
/** Words of eight are written whole: so many bytes behind the last may be, and are written over. */
const OVER = 8;

const DAY_MS = 86_400_000;

/** Kept for the next page unless it has grown beyond that. */
const KEPT_BYTES = 1 << 20;
const FIRST_BYTES = 1 << 17;
/** From here on what the engine does of its own is faster than word by word, for all that it makes a text of it first. */
const LONG = 2_000;
/** The longest text that V8 makes. */
const MOST_BYTES = 0x1fff_ffe8;

/** In each of the four bytes of a word. */
const EVERY = 0x0101_0101;
const HIGH = 0x80 * EVERY;

/** Bytes to read from. */
export interface Source {
  readonly bytes: Buffer;
  /** The same memory. */
  readonly view: DataView;
}

export const sourceOf = (bytes: Buffer): Source => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
});

/** Text that is being written. There is room for {@link WORST} times what is put in by {@link reserve}, but for decimals, which see to it themselves. */
export class JsonBytes {
  private out: Source = sourceOf(Buffer.allocUnsafe(FIRST_BYTES));
  private at = 0;
  /** Of words of texts and keys, by or: without the highest bit of a byte where every character is ASCII. */
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
      return this.out.bytes.toString((this.seen & HIGH) === 0 ? 'latin1' : 'utf8', 0, this.at);
    } finally {
      this.at = 0;
      this.seen = 0;
      if (this.out.bytes.length > KEPT_BYTES) this.out = sourceOf(Buffer.allocUnsafe(FIRST_BYTES));
    }
  }

  private mustFit(): void {
    if (this.at > this.most)
      throw new Problem('limit_reached', { detail: 'The answer would be too large. Ask for fewer rows (limit).' });
  }

  reserve(bytes: number): void {
    const { length } = this.out.bytes;
    if (this.at + bytes + OVER <= length) return;
    this.mustFit();
    const larger = Buffer.allocUnsafe(Math.max(length * 2, this.at + bytes + OVER));
    this.out.bytes.copy(larger, 0, 0, this.at);
    this.out = sourceOf(larger);
  }

  /** Says once of what is written by {@link constant} row by row that it will be; what is not ASCII has to be announced. */
  announce({ isAscii }: Piece): void {
    if (!isAscii) this.seen |= HIGH;
  }

  constant({ words, length }: Piece): void {
    const { view } = this.out;
    const { at } = this;
    for (let i = 0; i < words.length; i++) view.setFloat64(at + 8 * i, words[i] ?? 0, true);
    this.at = at + length;
  }

  null(): void {
    this.constant(NULL);
  }

  /** JSON text as it is. */
  raw(from: Source, start: number, length: number): void {
    if (length > LONG) {
      this.seen |= HIGH;
      this.at += from.bytes.copy(this.out.bytes, this.at, start, start + length);
      return;
    }
    const { view } = this.out;
    let { at, seen } = this;
    let i = start;
    const end = start + length;
    for (; i + 4 <= end; i += 4, at += 4) {
      const word = from.view.getInt32(i, true);
      seen |= word;
      view.setInt32(at, word, true);
    }
    for (; i < end; i++) {
      const byte = from.view.getUint8(i);
      seen |= byte;
      view.setUint8(at++, byte);
    }
    this.at = at;
    this.seen = seen;
  }

  text(from: Source, start: number, length: number): void {
    if (length > LONG) {
      this.seen |= HIGH;
      this.at += this.out.bytes.write(JSON.stringify(from.bytes.toString('utf8', start, start + length)), this.at);
      return;
    }
    const { view } = this.out;
    let { at, seen } = this;
    view.setUint8(at++, QUOTE);
    let i = start;
    const end = start + length;
    while (i < end) {
      if (i + 4 <= end) {
        const word = from.view.getInt32(i, true);
        if (!hasSpecial(word)) {
          seen |= word;
          view.setInt32(at, word, true);
          i += 4;
          at += 4;
          continue;
        }
      }
      const byte = from.view.getUint8(i++);
      seen |= byte;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) view.setUint8(at++, byte);
      else at = this.escape(byte, at);
    }
    view.setUint8(at++, QUOTE);
    this.at = at;
    this.seen = seen;
  }

  private escape(byte: number, start: number): number {
    const { bytes } = this.out;
    let at = start;
    const letter = ESCAPES.get(byte);
    bytes[at++] = BACKSLASH;
    if (letter !== undefined) bytes[at++] = letter;
    else at += bytes.write(`u${byte.toString(16).padStart(4, '0')}`, at, 'latin1');
    return at;
  }

  uuid(from: Source, start: number): void {
    const { view } = this.out;
    let { at } = this;
    view.setUint8(at++, QUOTE);
    for (let i = 0; i < 16; i++, at += 2) {
      if (i === 4 || i === 6 || i === 8 || i === 10) view.setUint8(at++, MINUS);
      view.setUint16(at, HEX_PAIRS[from.view.getUint8(start + i)] ?? 0, true);
    }
    view.setUint8(at++, QUOTE);
    this.at = at;
  }

  boolean(from: Source, start: number): void {
    this.constant(from.view.getUint8(start) === 0 ? FALSE : TRUE);
  }

  /** Of 2, 4 or 8 bytes. */
  integer({ view }: Source, start: number, length: number): void {
    if (length === 4) this.number(view.getInt32(start));
    else if (length === 2) this.number(view.getInt16(start));
    else this.long(view, start);
  }

  private long(from: DataView, start: number): void {
    const high = from.getInt32(start);
    // Beyond 2^53 a number of JavaScript's is not exact any more.
    if (high >= 0x20_0000 || high < -0x20_0000) this.ascii(String(from.getBigInt64(start)));
    else this.number(high * 0x1_0000_0000 + from.getUint32(start + 4));
  }

  private ascii(text: string): void {
    this.at += this.out.bytes.write(text, this.at, 'latin1');
  }

  private byte(byte: number): void {
    this.out.view.setUint8(this.at++, byte);
  }

  private number(n: number): void {
    if (n < 0) {
      this.byte(MINUS);
      n = -n;
    }
    if (n >= 1_000_000_000) {
      this.ascii(String(n));
      return;
    }
    const { view } = this.out;
    let rest = n | 0;
    let at = this.at + digits(rest);
    this.at = at;
    while (rest >= 100) {
      const hundreds = (rest / 100) | 0;
      at -= 2;
      view.setUint16(at, DECIMAL_PAIRS[rest - hundreds * 100] ?? 0, true);
      rest = hundreds;
    }
    if (rest >= 10) view.setUint16(at - 2, DECIMAL_PAIRS[rest] ?? 0, true);
    else view.setUint8(at - 1, ZERO + rest);
  }

  /** In quotes: digits to the base 10,000, of which `weight` + 1 stand before the point, and `scale` decimal digits behind it. */
  decimal({ view }: Source, start: number): void {
    const count = view.getUint16(start);
    const weight = view.getInt16(start + 2);
    const sign = view.getUint16(start + 4);
    const scale = view.getUint16(start + 6);
    this.reserve((Math.max(weight, 0) + 2) * 4 + scale + 8);
    this.byte(QUOTE);
    if (sign >= 0xc000) this.ascii(notFinite(sign));
    else {
      if (sign === 0x4000) this.byte(MINUS);
      const first = start + 8;
      this.number(weight < 0 || count === 0 ? 0 : view.getUint16(first));
      for (let i = 1; i <= weight; i++) this.four(i < count ? view.getUint16(first + 2 * i) : 0);
      if (scale > 0) {
        this.byte(POINT);
        const end = this.at + scale;
        for (let i = weight + 1; this.at < end; i++) this.four(i >= 0 && i < count ? view.getUint16(first + 2 * i) : 0);
        this.at = end;
      }
    }
    this.byte(QUOTE);
  }

  private four(n: number): void {
    const high = (n / 100) | 0;
    this.pair(high);
    this.pair(n - high * 100);
  }

  private pair(n: number): void {
    this.out.view.setUint16(this.at, DECIMAL_PAIRS[n] ?? 0, true);
    this.at += 2;
  }

  date({ view }: Source, start: number): void {
    const days = view.getInt32(start);
    this.byte(QUOTE);
    if (this.days.write(days, this.out.view, this.at)) this.at += 10;
    else this.ascii(days === 0x7fff_ffff ? 'infinity' : days === -0x8000_0000 ? '-infinity' : oddDay(days));
    this.byte(QUOTE);
  }

  /** To the millisecond, what is beyond it left out; null of the infinite ones, as to_char says. */
  instant({ view }: Source, start: number): void {
    if (infinite(view, start) !== undefined) {
      this.null();
      return;
    }
    const { ms } = momentOf(view, start);
    this.byte(QUOTE);
    // to_char gives years before the first no name.
    this.moment(ms, false);
    this.byte(QUOTE);
  }

  /** To the microsecond, in a form that PostgreSQL reads as the same moment. */
  exactInstant({ view }: Source, start: number): void {
    this.byte(QUOTE);
    const name = infinite(view, start);
    if (name === undefined) {
      const { ms, micros } = momentOf(view, start);
      this.moment(ms, true, micros);
    } else this.ascii(name);
    this.byte(QUOTE);
  }

  /** Of milliseconds since 2000-01-01. */
  private moment(ms: number, namesEra: boolean, micros = 0): void {
    const days = Math.floor(ms / DAY_MS);
    const isPlain = this.days.write(days, this.out.view, this.at);
    const day = isPlain ? '' : oddDay(days);
    if (isPlain) this.at += 10;
    else this.ascii(day.replace(BEFORE_CHRIST, ''));
    this.time((ms - days * DAY_MS) | 0, micros);
    if (namesEra && day.endsWith(BEFORE_CHRIST)) this.ascii(BEFORE_CHRIST);
  }

  /** `Thh:mm:ss.mmmZ` of a day's milliseconds, and three digits more where there are microseconds. */
  private time(ms: number, micros: number): void {
    const seconds = (ms / 1000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    const fraction = ms - seconds * 1000;
    const hundreds = (fraction / 100) | 0;
    this.byte(0x54);
    this.pair(hours);
    this.byte(COLON);
    this.pair(minutes - hours * 60);
    this.byte(COLON);
    this.pair(seconds - minutes * 60);
    this.byte(POINT);
    this.byte(ZERO + hundreds);
    this.pair(fraction - hundreds * 100);
    if (micros > 0) this.ascii(String(micros).padStart(3, '0'));
    this.byte(0x5a);
  }
}

/** What PostgreSQL calls the moments before and after all others. */
function infinite(view: DataView, start: number): 'infinity' | '-infinity' | undefined {
  const [high, low] = [view.getInt32(start), view.getUint32(start + 4)];
  if (high === 0x7fff_ffff && low === 0xffff_ffff) return 'infinity';
  return high === -0x8000_0000 && low === 0 ? '-infinity' : undefined;
}

/** Milliseconds since 2000-01-01, and microseconds beyond them. */
function momentOf(view: DataView, start: number): { readonly ms: number; readonly micros: number } {
  const [high, low] = [view.getInt32(start), view.getUint32(start + 4)];
  // 2^32 microseconds are 4,294,967 milliseconds and 296 microseconds: as one number they would not be exact.
  const rest = high * 296 + low;
  const ms = Math.floor(rest / 1000);
  return { ms: high * 4_294_967 + ms, micros: rest - ms * 1000 };
}

/**
 * Whether one of four bytes is below 0x20, a quote or a backslash; may say so of bytes above one that is (S. E. Anderson, Bit Twiddling Hacks:
 * a byte of `x` is below `n` where `x - n` borrows and `x` itself has not the highest bit).
 */
function hasSpecial(word: number): boolean {
  const quote = word ^ (QUOTE * EVERY);
  const backslash = word ^ (BACKSLASH * EVERY);
  return (
    ((((word - 0x20 * EVERY) & ~word) | ((quote - EVERY) & ~quote) | ((backslash - EVERY) & ~backslash)) & HIGH) !== 0
  );
}

/** Of the sign of a numeric. */
const notFinite = (sign: number): string => (sign === 0xd000 ? 'Infinity' : sign === 0xf000 ? '-Infinity' : 'NaN');
