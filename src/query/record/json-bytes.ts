import { Lender, Problem, type LentText } from '../../common/index.js';
import { DECIMAL_PAIRS, digits } from './digits.js';
import { between, type Piece } from './piece.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;

const NULL = between('null');

/** What stands behind the backslash, of the characters that have a letter. */
const ESCAPES = new Map([...'\b\f\n\r\t"\\'].map((c, i) => [c.charCodeAt(0), 'bfnrt"\\'.charCodeAt(i)]));

/** What a byte of a text becomes at most: `\u001f`. */
export const WORST = 6;
/** Words of eight are written whole: so many bytes behind the last may be, and are written over. */
const OVER = 8;

/** Texts from so many bytes on are lent; shorter ones would hold much memory for little. */
const LENT_FROM = 1 << 15;
/** Before and behind a text that is lent: for the brackets, cursors and numbers of an answer. */
const ROOM_BEFORE = 16;
const ROOM_BEHIND = 4_096;
const MOST_LENT = 64;

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

/** How long a text may be, in bytes, and what is said of one that is longer. */
export interface TextLimit {
  readonly most: number;
  readonly problem: () => Error;
}

const tooLarge = (): Problem =>
  new Problem('limit_reached', { detail: 'The answer would be too large. Ask for fewer rows (limit).' });

const lender = new Lender(FIRST_BYTES, MOST_LENT);

/** Text that is being written. There is room for {@link WORST} times what is put in by {@link reserve}, but where it is said otherwise. */
export class JsonBytes {
  protected out: Source = sourceOf(lender.take());
  protected at = 0;
  /** Of words of texts and keys, by or: without the highest bit of a byte where every character is ASCII. */
  private seen = 0;
  private readonly longest: TextLimit;
  private limit: TextLimit;

  /** @param most bytes of a text */
  constructor(most = MOST_BYTES) {
    this.longest = this.limit = { most, problem: tooLarge };
  }

  /**
   * What is written meanwhile. Nothing of it stays, also where it fails: what comes next is somebody else's.
   * @throws Problem that of the limit; `limit_reached` where it is longer than texts can be
   */
  whole(write: () => void, limit: TextLimit = this.longest): string {
    return this.made(0, write, limit, () => this.string(0));
  }

  /** The same in memory that is lent, where that is worth it. */
  lent(write: () => void): string | LentText {
    // It may have grown for somebody else.
    if (this.out.bytes.length !== lender.size) this.out = sourceOf(lender.take());
    return this.made(ROOM_BEFORE, write, this.longest, () => {
      const { bytes } = this.out;
      const { at } = this;
      if (bytes.length !== lender.size || at < LENT_FROM || at > bytes.length - ROOM_BEHIND || !lender.canLend)
        return this.string(ROOM_BEFORE);
      this.out = sourceOf(lender.take());
      return lender.lend(bytes, ROOM_BEFORE, at);
    });
  }

  private made<T>(from: number, write: () => void, limit: TextLimit, finished: () => T): T {
    this.limit = limit;
    this.at = from;
    try {
      write();
      this.mustFit();
      return finished();
    } finally {
      this.at = 0;
      this.seen = 0;
      if (this.out.bytes.length > KEPT_BYTES) this.out = sourceOf(lender.take());
    }
  }

  private string(from: number): string {
    return this.out.bytes.toString((this.seen & HIGH) === 0 ? 'latin1' : 'utf8', from, this.at);
  }

  private mustFit(): void {
    if (this.at > this.limit.most) throw this.limit.problem();
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

  protected ascii(text: string): void {
    this.at += this.out.bytes.write(text, this.at, 'latin1');
  }

  protected byte(byte: number): void {
    this.out.view.setUint8(this.at++, byte);
  }

  protected number(n: number): void {
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

  protected pair(n: number): void {
    this.out.view.setUint16(this.at, DECIMAL_PAIRS[n] ?? 0, true);
    this.at += 2;
  }
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
