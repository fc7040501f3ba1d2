import { parseJson, Problem } from '../../../../common/index.js';
import { FileFlaw, type Flaw } from './file-flaw.js';

/** One line of an NDJSON file. */
export interface JsonLine {
  readonly line: number;
  /** The fields of the row; undefined where there is a flaw. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly size: number;
  readonly flaw?: Flaw;
}

/** A line may be no longer, in characters. */
const MAX_LINE = 16 * 1024 * 1024;

/** What a row has besides its fields; an export writes it, and it means nothing to an import. */
const SYSTEM: ReadonlySet<string> = new Set([
  'id',
  'version',
  'fields',
  'createdAt',
  'createdBy',
  'updatedAt',
  'updatedBy',
]);

/** One JSON object a line: the fields of a row, or the row with its fields as an export has it. Empty lines are passed over. */
export class NdjsonParser {
  private text = '';
  private line = 1;
  /** A long line comes in many pieces: not before the text has doubled is it looked at again. */
  private worthwhile = 0;

  constructor(private readonly maxLine = MAX_LINE) {}

  /** @throws FileFlaw */
  push(piece: string): JsonLine[] {
    this.text += piece;
    return this.text.length < this.worthwhile ? [] : this.take();
  }

  end(): JsonLine[] {
    return [...this.take(), ...this.read(this.text)];
  }

  /** The lines that are whole by now. */
  private take(): JsonLine[] {
    const lines: JsonLine[] = [];
    let at = 0;
    for (let end = this.text.indexOf('\n'); end !== -1; end = this.text.indexOf('\n', at)) {
      lines.push(...this.read(this.text.slice(at, end)));
      at = end + 1;
    }
    this.text = this.text.slice(at);
    if (this.text.length > this.maxLine) throw new FileFlaw(this.line, 'record_too_long', 'The line does not end.');
    this.worthwhile = 2 * this.text.length;
    return lines;
  }

  private read(text: string): JsonLine[] {
    const line = this.line++;
    const size = text.length;
    if (text.trim() === '') return [];
    try {
      const value = parseJson(Buffer.from(text));
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        return [{ line, size, fields: fieldsOf(value as Readonly<Record<string, unknown>>) }];
      return [{ line, size, flaw: { code: 'not_an_object', detail: 'A line is a JSON object.' } }];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return [{ line, size, flaw: { code: error.errors?.[0]?.code ?? error.code, detail: error.message } }];
    }
  }
}

function fieldsOf(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { fields } = row;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return row;
  return Object.keys(row).every((member) => SYSTEM.has(member)) ? (fields as Readonly<Record<string, unknown>>) : row;
}
