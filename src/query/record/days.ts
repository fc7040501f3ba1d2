import { DECIMAL_PAIRS } from './digits.js';

/** From 0000-03-01, where eras begin, to 2000-01-01, from where PostgreSQL counts. */
const DAYS_TO_2000 = 730_425;

/** So many days are kept: a page, or the pages of a table, have few that are different. */
const KEPT = 4_096;
/** Bytes of a day's text, which is 10 long: two words of eight. */
const PLACE = 16;
const MINUS = 0x2d;

/** Texts `YYYY-MM-DD` of days counted from 2000-01-01. */
export class Days {
  /** Which day is kept where; in the beginning none, for those that it then says are kept elsewhere. */
  private readonly known = new Int32Array(KEPT).fill(1, 0, 1);
  private readonly texts = new DataView(new ArrayBuffer(KEPT * PLACE));

  /** Writes the 10 characters, and up to 6 bytes behind them. False for days of years before 1 and beyond 9999, of which nothing is written. */
  write(days: number, to: DataView, at: number): boolean {
    const place = days & (KEPT - 1);
    if (this.known[place] !== days && !this.find(days, place)) return false;
    to.setFloat64(at, this.texts.getFloat64(place * PLACE, true), true);
    to.setFloat64(at + 8, this.texts.getFloat64(place * PLACE + 8, true), true);
    return true;
  }

  private find(days: number, place: number): boolean {
    const { year, month, day } = civil(days);
    if (year < 1 || year > 9999) return false;
    const century = (year / 100) | 0;
    this.texts.setUint8(place * PLACE + 4, MINUS);
    this.pair(place, 0, century);
    this.pair(place, 2, year - century * 100);
    this.pair(place, 5, month);
    this.texts.setUint8(place * PLACE + 7, MINUS);
    this.pair(place, 8, day);
    this.known[place] = days;
    return true;
  }

  private pair(place: number, at: number, n: number): void {
    this.texts.setUint16(place * PLACE + at, DECIMAL_PAIRS[n] ?? 0, true);
  }
}

/** No day of ours, but somebody else may have put it in: as PostgreSQL says it. */
export function oddDay(days: number): string {
  const { year, month, day } = civil(days);
  const pad = (n: number, length: number): string => String(n).padStart(length, '0');
  return `${pad(year < 1 ? 1 - year : year, 4)}-${pad(month, 2)}-${pad(day, 2)}${year < 1 ? BEFORE_CHRIST : ''}`;
}

export const BEFORE_CHRIST = ' BC';

/**
 * The day of the proleptic Gregorian calendar, by eras of 400 years that begin in March, so that the day that leap years have more is a year's last
 * (H. Hinnant, chrono-compatible low-level date algorithms, civil_from_days).
 */
function civil(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const since = days + DAYS_TO_2000;
  const era = Math.floor(since / 146_097);
  const ofEra = since - era * 146_097;
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0;
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const fromMarch = ((5 * ofYear + 2) / 153) | 0;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const day = ofYear - (((153 * fromMarch + 2) / 5) | 0) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
