import { columnType, type ColumnTypeName } from '../../../query/index.js';

/** What a column of a file seems to hold, and why. */
export interface Inferred {
  readonly type: ColumnTypeName;
  readonly reason: string;
}

/** Longer texts are for a column that shows several lines. */
const ONE_LINE = 1_000;

const WHOLE = /^(0|-?[1-9]\d{0,15})$/;
/** Numbers as programs write them: without zeros in front, which are codes of some kind. */
const NUMBER = /^-?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d{1,2})?$/;

const byType =
  (type: ColumnTypeName) =>
  (text: string): boolean =>
    columnType(type).parseText(text, { options: {} }).ok;

/** What all values of a column may turn out to be, the narrowest first. */
const CANDIDATES: readonly {
  readonly type: ColumnTypeName;
  readonly what: string;
  readonly is: (text: string) => boolean;
}[] = [
  { type: 'integer', what: 'whole numbers', is: (text) => WHOLE.test(text) && Number.isSafeInteger(Number(text)) },
  { type: 'decimal', what: 'numbers', is: (text) => /\d/.test(text) && NUMBER.test(text) && byType('decimal')(text) },
  { type: 'boolean', what: 'true or false', is: (text) => /^(true|false)$/i.test(text) },
  { type: 'date', what: 'days', is: byType('date') },
  { type: 'datetime', what: 'moments', is: byType('datetime') },
  { type: 'email', what: 'mail addresses', is: byType('email') },
  { type: 'url', what: 'web addresses', is: byType('url') },
];

/** Looks at all values of one column, without keeping any but one. */
export class ColumnGuess {
  private left = CANDIDATES;
  private values = 0;
  private isLong = false;
  private zero: string | undefined;
  private isJson = false;

  /** A value of a text file. */
  text(value: string): void {
    this.values++;
    this.isLong ||= value.length > ONE_LINE || value.includes('\n') || value.includes('\r');
    if (this.left.length === 0) return;
    const trimmed = value.trim();
    if (/^-?0\d/.test(trimmed)) this.zero ??= trimmed.slice(0, 20);
    this.left = this.left.filter(({ is }) => is(trimmed));
  }

  /** A value of a file that has types of its own: a number in quotes is a text. */
  json(value: unknown): void {
    if (value === null) return;
    if (typeof value === 'object') {
      this.values++;
      this.isJson = true;
    } else if (typeof value === 'string') {
      this.left = this.left.filter(({ type }) => !UNQUOTED.has(type));
      this.text(value);
    } else {
      this.left = this.left.filter(({ type }) => UNQUOTED.has(type));
      this.text(JSON.stringify(value));
    }
  }

  result(): Inferred {
    if (this.values === 0) return { type: 'text', reason: 'No row has a value.' };
    if (this.isJson) return { type: 'json', reason: 'Some values are lists or objects.' };
    const [best] = this.left;
    const all = this.values === 1 ? 'The only value' : `All ${this.values.toLocaleString('en')} values`;
    if (best) return { type: best.type, reason: `${all} can be read as ${best.what}.` };
    if (this.isLong) return { type: 'long_text', reason: 'Some values are long, or have several lines.' };
    if (this.zero !== undefined)
      return { type: 'text', reason: `Some values begin with a zero, such as ${JSON.stringify(this.zero)}.` };
    return { type: 'text', reason: 'The values have no other form in common.' };
  }
}

const UNQUOTED: ReadonlySet<ColumnTypeName> = new Set(['integer', 'decimal', 'boolean']);
