import { FileFlaw, type Flaw } from './file-flaw.js';

/** One record of a CSV file. */
export interface CsvRecord {
  /** The line of the file that it begins on. */
  readonly line: number;
  /** Null where nothing stands between two delimiters; `""` is the empty text. */
  readonly cells: readonly (string | null)[];
  /** Characters that it takes in the file. */
  readonly size: number;
  /** The record is against the rules, its cells are not to be trusted; the next one begins on the next line all the same. */
  readonly flaw?: Flaw;
}

/** A record may be no longer: a quote that nobody closes would otherwise take in the rest of the file. In characters. */
export const MAX_RECORD = 16 * 1024 * 1024;
/** More cells of one record are counted, and not kept. */
const MAX_CELLS = 2_000;

const [QUOTE, LF, CR] = [34, 10, 13];

/**
 * CSV after RFC 4180, from pieces of text in, records out. Lines end with CRLF, LF or CR. By hand: a file of a million lines is to cost
 * seconds, which of the packages that tell quoted cells from others none does.
 */
export class CsvParser {
  private text = '';
  /** Where the next record begins. */
  private at = 0;
  /** The line that it begins on. */
  private line = 1;
  /** Length that the text has to have before it is worth another look: a record that comes in many pieces is looked at a few times only. */
  private worthwhile = 0;
  private readonly delimiter: number;

  constructor(
    delimiter: string,
    private readonly maxRecord = MAX_RECORD,
  ) {
    this.delimiter = delimiter.charCodeAt(0);
  }

  /** The records that are whole now. @throws FileFlaw */
  push(piece: string): CsvRecord[] {
    this.text = this.text.slice(this.at) + piece;
    this.at = 0;
    return this.text.length < this.worthwhile ? [] : this.records(false);
  }

  /** The last ones. @throws FileFlaw a quote is never closed */
  end(): CsvRecord[] {
    return this.records(true);
  }

  private records(isEnd: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    while (this.at < this.text.length) {
      const record = this.record(isEnd);
      if (!record) {
        const rest = this.text.length - this.at;
        if (rest > this.maxRecord)
          throw new FileFlaw(
            this.line,
            'record_too_long',
            'The record that begins here does not end; is a quote missing?',
          );
        this.worthwhile = 2 * rest;
        return records;
      }
      records.push(record);
    }
    this.worthwhile = 0;
    return records;
  }

  /** The record at the present place, and past it; undefined where its end is not there yet. */
  private record(isEnd: boolean): CsvRecord | undefined {
    const { text, delimiter } = this;
    const cells: (string | null)[] = [];
    let flaw: Flaw | undefined;
    let count = 0;
    let breaks = 0;
    let at = this.at;
    for (;;) {
      let cell: string | null;
      if (text.charCodeAt(at) === QUOTE) {
        const quoted = this.quoted(at + 1, isEnd);
        if (!quoted) return undefined;
        cell = quoted.value;
        at = quoted.end;
        breaks += lineBreaks(cell);
      } else {
        const start = at;
        at = this.plainEnd(at);
        cell = at === start ? null : text.slice(start, at);
      }
      if (count++ < MAX_CELLS) cells.push(cell);
      const next = at < text.length ? text.charCodeAt(at) : -1;
      if (next === -1 && !isEnd) return undefined;
      if (next === delimiter) {
        at++;
        // An empty cell may be the last thing of a file.
        if (at < text.length || !isEnd) continue;
        if (count++ < MAX_CELLS) cells.push(null);
      } else if (next !== -1 && next !== LF && next !== CR) {
        flaw ??= stray(count);
        at = this.lineEnd(at);
        if (at === text.length && !isEnd) return undefined;
      }
      if (at === text.length) break;
      if (text.charCodeAt(at) === CR) {
        if (at + 1 === text.length && !isEnd) return undefined;
        if (text.charCodeAt(at + 1) === LF) at++;
      }
      at++;
      break;
    }
    const record = { line: this.line, cells, size: at - this.at, ...(flaw ? { flaw } : {}) };
    this.line += breaks + 1;
    this.at = at;
    return count > MAX_CELLS
      ? { ...record, flaw: { code: 'too_many_cells', detail: `The record has ${count} cells.` } }
      : record;
  }

  /** What stands in quotes, from behind the first of them to behind the last; undefined where that is not there yet. */
  private quoted(from: number, isEnd: boolean): { readonly value: string; readonly end: number } | undefined {
    const { text } = this;
    let value = '';
    for (let start = from; ;) {
      const quote = text.indexOf('"', start);
      if (quote === -1) {
        if (!isEnd) return undefined;
        throw new FileFlaw(this.line, 'quote_not_closed', 'In the record that begins here a quote is never closed.');
      }
      value += text.slice(start, quote);
      if (quote + 1 === text.length && !isEnd) return undefined;
      if (text.charCodeAt(quote + 1) !== QUOTE) return { value, end: quote + 1 };
      value += '"';
      start = quote + 2;
    }
  }

  /** Where a cell without quotes ends, be it at a quote that may not stand there. */
  private plainEnd(from: number): number {
    const { text, delimiter } = this;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === delimiter || code === LF || code === CR || code === QUOTE) return at;
    }
    return text.length;
  }

  private lineEnd(from: number): number {
    for (let at = from; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === LF || code === CR) return at;
    }
    return this.text.length;
  }
}

const stray = (cell: number): Flaw => ({
  code: 'stray_quote',
  detail: `Cell ${cell} has a quote that does not belong there; a cell with quotes stands in quotes, and each inside is doubled.`,
});

function lineBreaks(text: string): number {
  if (!text.includes('\n') && !text.includes('\r')) return 0;
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** The delimiter that stands most often in the first line, outside of quotes; the comma where none does. */
export function delimiterOf(text: string): Delimiter {
  const counts = new Map<string, number>(DELIMITERS.map((each) => [each, 0]));
  let isQuoted = false;
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (char === '\n' || char === '\r')) break;
    else if (!isQuoted && counts.has(char)) counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  return DELIMITERS.reduce((best, each) => ((counts.get(each) ?? 0) > (counts.get(best) ?? 0) ? each : best));
}
