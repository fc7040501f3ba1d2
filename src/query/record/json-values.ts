import { dayText, oddInstant } from './day-text.js';
import { Days } from './days.js';
import { HEX_PAIRS } from './digits.js';
import { JsonBytes, type Source } from './json-bytes.js';
import { between } from './piece.js';
import { plainDecimal } from './plain-decimal.js';

/*
 * JSON text of values in PostgreSQL's binary form, byte for byte what PostgreSQL itself makes of them: `to_json` of texts, `::text` of numbers
 * and days, ISO 8601 in UTC with milliseconds of moments. The forms are those of the functions `…send` of the types
 * (src/backend/utils/adt of PostgreSQL): everything big-endian, days and microseconds since 2000-01-01.
 */

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const [T, Z] = [0x54, 0x5a];

const TRUE = between('true');
const FALSE = between('false');
const BYTEA = between('"\\\\x');

const DAY_MS = 86_400_000;
/** 0001-01-01 and 10000-01-01, in days from 2000-01-01. */
const YEAR_1 = -730_119;
const YEAR_10000 = 2_921_940;

/** Writes values that are in PostgreSQL's binary form. Decimals and floating-point numbers see to it themselves that there is room. */
export class JsonValues extends JsonBytes {
  private readonly days = new Days();

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

  /** `\\\\x` and the hexadecimal digits, as `bytea_output = hex` says. */
  bytea(from: Source, start: number, length: number): void {
    this.constant(BYTEA);
    const { view } = this.out;
    let { at } = this;
    for (let i = 0; i < length; i++, at += 2) view.setUint16(at, HEX_PAIRS[from.view.getUint8(start + i)] ?? 0, true);
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

  /** Of 8 bytes, in quotes: more than numbers of JSON hold. */
  bigint({ view }: Source, start: number): void {
    this.byte(QUOTE);
    this.long(view, start);
    this.byte(QUOTE);
  }

  /** In quotes and without an exponent, of the text that PostgreSQL makes of a `real` or a `double precision`. */
  float({ bytes }: Source, start: number, length: number): void {
    const text = plainDecimal(bytes.toString('latin1', start, start + length));
    this.reserve(text.length + 2);
    this.byte(QUOTE);
    this.ascii(text);
    this.byte(QUOTE);
  }

  private long(from: DataView, start: number): void {
    const high = from.getInt32(start);
    // Beyond 2^53 a number of JavaScript's is not exact any more.
    if (high >= 0x20_0000 || high < -0x20_0000) this.ascii(String(from.getBigInt64(start)));
    else this.number(high * 0x1_0000_0000 + from.getUint32(start + 4));
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

  date({ view }: Source, start: number): void {
    const days = view.getInt32(start);
    this.byte(QUOTE);
    if (days === 0x7fff_ffff) this.ascii('infinity');
    else if (days === -0x8000_0000) this.ascii('-infinity');
    else this.day(days);
    this.byte(QUOTE);
  }

  private day(days: number): void {
    if (days < YEAR_1 || days >= YEAR_10000) {
      this.ascii(dayText(days));
      return;
    }
    this.days.write(days, this.out.view, this.at);
    this.at += 10;
  }

  /** To the millisecond, what is beyond it left out; null of the infinite ones, as to_char says. */
  instant({ view }: Source, start: number): void {
    const [high, low] = [view.getInt32(start), view.getUint32(start + 4)];
    if ((high === 0x7fff_ffff && low === 0xffff_ffff) || (high === -0x8000_0000 && low === 0)) {
      this.null();
      return;
    }
    const { ms } = momentOf(view, start);
    this.byte(QUOTE);
    this.moment(ms, 0);
    this.byte(QUOTE);
  }

  /**
   * To the microsecond: three digits of fraction, and more where there are more. What RFC 3339 has no words for, as PostgreSQL writes it, with the
   * zone behind it.
   */
  exactInstant({ view }: Source, start: number, zone: '+00' | ''): void {
    const { ms, micros } = momentOf(view, start);
    this.byte(QUOTE);
    if (ms >= YEAR_1 * DAY_MS && ms < YEAR_10000 * DAY_MS) this.moment(ms, micros);
    else this.ascii(oddInstant(view.getBigInt64(start), zone));
    this.byte(QUOTE);
  }

  /** Of milliseconds since 2000-01-01, and microseconds beyond them. */
  private moment(ms: number, micros: number): void {
    const days = Math.floor(ms / DAY_MS);
    const time = ms - days * DAY_MS;
    const seconds = (time / 1000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    this.day(days);
    // to_char gives years before the first no name.
    if (days < YEAR_1) this.at -= ' BC'.length;
    this.byte(T);
    this.pair(hours);
    this.byte(COLON);
    this.pair(minutes - hours * 60);
    this.byte(COLON);
    this.pair(seconds - minutes * 60);
    this.byte(POINT);
    this.three(time - seconds * 1000);
    if (micros > 0) {
      this.three(micros);
      while (this.out.view.getUint8(this.at - 1) === ZERO) this.at--;
    }
    this.byte(Z);
  }

  private three(n: number): void {
    const hundreds = (n / 100) | 0;
    this.byte(ZERO + hundreds);
    this.pair(n - hundreds * 100);
  }
}

/** Milliseconds since 2000-01-01, and microseconds beyond them. */
function momentOf(view: DataView, start: number): { readonly ms: number; readonly micros: number } {
  const [high, low] = [view.getInt32(start), view.getUint32(start + 4)];
  // 2^32 microseconds are 4,294,967 milliseconds and 296 microseconds: as one number they would not be exact.
  const rest = high * 296 + low;
  const ms = Math.floor(rest / 1000);
  return { ms: high * 4_294_967 + ms, micros: rest - ms * 1000 };
}

/** Of the sign of a numeric. */
const notFinite = (sign: number): string => (sign === 0xd000 ? 'Infinity' : sign === 0xf000 ? '-Infinity' : 'NaN');
