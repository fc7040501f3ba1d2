import { civilDay } from './day-text.js';
import { DECIMAL_PAIRS } from './digits.js';

/** So many days are kept: eleven years of them, each in its own place. */
const KEPT = 4_096;
/** Bytes of a day's text, which is 10 long: two words of eight. */
const PLACE = 16;
const MINUS = 0x2d;

/** Texts `YYYY-MM-DD` of days from year 1 to 9999, counted from 2000-01-01: the rows of a table have few that are different. */
export class Days {
  /** Which day is kept where; in the beginning none, for those that it then says are kept elsewhere. */
  private readonly known = new Int32Array(KEPT).fill(1, 0, 1);
  private readonly texts = new DataView(new ArrayBuffer(KEPT * PLACE));

  /** Writes the 10 characters, and up to 6 bytes behind them. */
  write(days: number, to: DataView, at: number): void {
    const place = days & (KEPT - 1);
    if (this.known[place] !== days) this.reckon(days, place);
    to.setFloat64(at, this.texts.getFloat64(place * PLACE, true), true);
    to.setFloat64(at + 8, this.texts.getFloat64(place * PLACE + 8, true), true);
  }

  private reckon(days: number, place: number): void {
    const civil = civilDay(days);
    const year = civil >> 9;
    const century = (year / 100) | 0;
    const at = place * PLACE;
    this.pair(at, century);
    this.pair(at + 2, year - century * 100);
    this.texts.setUint8(at + 4, MINUS);
    this.pair(at + 5, (civil >> 5) & 15);
    this.texts.setUint8(at + 7, MINUS);
    this.pair(at + 8, civil & 31);
    this.known[place] = days;
  }

  private pair(at: number, n: number): void {
    this.texts.setUint16(at, DECIMAL_PAIRS[n] ?? 0, true);
  }
}
