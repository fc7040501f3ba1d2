import type { ColumnTypeName } from '../../../query/index.js';
import { CRLF, guardFormula, headerLine } from '../../rows/index.js';
import type { ContractColumn } from '../settings/published-contract.js';
import { membersOf } from './row-members.js';

export const FORMATS = ['json', 'csv', 'ndjson'] as const;
/** How a page is written. */
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const ACCEPTED: ReadonlyMap<string, Format> = new Map([
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['text/csv', 'csv'],
  ['text/*', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
]);

/** What an `Accept` header likes best of what there is (RFC 9110, section 12.5.1); JSON when it likes none of it. */
export function formatAccepted(accept: string | undefined): Format {
  let [best, most]: [Format, number] = ['json', 0];
  for (const item of (accept ?? '').slice(0, 1_000).split(',')) {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const format = ACCEPTED.get(type);
    const weight = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? 1);
    if (format !== undefined && weight > most) [best, most] = [format, weight];
  }
  return best;
}

/** A page: flat rows of JSON text, and what JSON says of the page. */
export interface FlatPage {
  readonly rows: readonly string[];
  readonly paging: { readonly limit: number; readonly nextCursor?: string };
  /** Of the rows, in their order. */
  readonly columns: readonly ContractColumn[];
}

export function written({ rows, paging, columns }: FlatPage, format: Format): Buffer {
  switch (format) {
    case 'json':
      return Buffer.from(`{"data":[${rows.join(',\n')}],"page":${JSON.stringify(paging)}}`);
    case 'ndjson':
      return Buffer.from(rows.map((row) => `${row}\n`).join(''));
    case 'csv':
      return Buffer.from(headerLine(columns.map(({ key }) => key)) + rows.map((row) => csvLine(row, columns)).join(''));
  }
}

function csvLine(row: string, columns: readonly ContractColumn[]): string {
  const members = membersOf(row);
  return columns.map((column) => csvCell(members.get(column.key) ?? 'null', column)).join(',') + CRLF;
}

/** Types whose values stay what they are, whatever sign they begin with. */
const NUMBERS: ReadonlySet<ColumnTypeName> = new Set([
  ...(['integer', 'decimal', 'currency', 'percent', 'rating', 'duration', 'autonumber', 'count'] as const),
]);

/** Nothing between two commas is null, `""` the empty text; lists and objects are JSON. */
function csvCell(json: string, { type, list }: ContractColumn): string {
  if (json === 'null') return '';
  if (!json.startsWith('"')) return quoted(json);
  const text = JSON.parse(json) as string;
  return quoted(list || NUMBERS.has(type) ? text : guardFormula(text));
}

const quoted = (text: string): string => (/[",\r\n]|^$|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
