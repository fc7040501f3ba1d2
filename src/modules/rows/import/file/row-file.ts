import { CsvParser, delimiterOf, type CsvRecord, type Delimiter } from './csv-parser.js';
import { decode, type Charset } from './decode.js';
import { FileFlaw, type Flaw } from './file-flaw.js';
import { NdjsonParser, type JsonLine } from './ndjson-parser.js';

/** A row as the file has it: cells in the order of the header, or fields by name. */
export interface SourceRow {
  readonly line: number;
  readonly size: number;
  readonly cells?: readonly (string | null)[];
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly flaw?: Flaw;
}

/** A file of rows; both ask for it from its beginning. */
export interface RowFile {
  /** What the columns are called; a file of NDJSON has no such line. @throws FileFlaw `header_missing` */
  header(): Promise<readonly string[] | undefined>;
  /** All rows, some at a time. @throws FileFlaw from where it cannot be read any more */
  rows(): AsyncGenerator<readonly SourceRow[], void>;
}

export interface FileForm {
  readonly format: 'csv' | 'ndjson';
  readonly charset?: Charset;
  readonly delimiter?: Delimiter;
}

/** Where the bytes are. */
export interface Bytes {
  read(): AsyncIterable<Buffer>;
}

export function rowFile(bytes: Bytes, { format, charset, delimiter }: FileForm): RowFile {
  if (format === 'ndjson')
    return {
      header: () => Promise.resolve(undefined),
      rows: () => parsed<JsonLine>(decode(bytes.read(), charset), () => new NdjsonParser()),
    };
  const records = () =>
    parsed<CsvRecord>(decode(bytes.read(), charset), (text) => new CsvParser(delimiter ?? delimiterOf(text)));
  return { header: () => headerOf(records()), rows: () => withoutHeader(records()) };
}

interface Parser<T> {
  push(piece: string): T[];
  end(): T[];
}

async function* parsed<T>(
  pieces: AsyncIterable<string>,
  start: (text: string) => Parser<T>,
): AsyncGenerator<T[], void> {
  let parser: Parser<T> | undefined;
  for await (const piece of pieces) {
    parser ??= start(piece);
    const found = parser.push(piece);
    if (found.length > 0) yield found;
  }
  const last = parser?.end() ?? [];
  if (last.length > 0) yield last;
}

async function headerOf(records: AsyncIterable<readonly CsvRecord[]>): Promise<readonly string[]> {
  for await (const [first] of records) {
    if (!first) continue;
    if (first.flaw) throw new FileFlaw(first.line, first.flaw.code, first.flaw.detail);
    return first.cells.map((cell) => (cell ?? '').trim());
  }
  throw new FileFlaw(1, 'header_missing', 'The file is empty; its first line has to name the columns.');
}

/** Empty lines are no rows, unless a row is one cell and may be empty. */
async function* withoutHeader(
  records: AsyncIterable<readonly CsvRecord[]>,
): AsyncGenerator<readonly SourceRow[], void> {
  let columns: number | undefined;
  for await (const batch of records) {
    let rows: readonly CsvRecord[] = batch;
    if (columns === undefined) {
      columns = batch[0]?.cells.length ?? 0;
      rows = batch.slice(1);
    }
    const width = columns;
    const full = width > 1 ? rows.filter(({ cells }) => cells.length > 1 || cells[0] !== null) : rows;
    yield full.map((row) =>
      row.flaw === undefined && row.cells.length !== width ? { ...row, flaw: ragged(row, width) } : row,
    );
  }
}

const ragged = ({ cells }: CsvRecord, width: number): Flaw => ({
  code: 'wrong_number_of_cells',
  detail: `The line has ${cells.length} cells, the header has ${width}.`,
});
