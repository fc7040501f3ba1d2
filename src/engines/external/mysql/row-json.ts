import { Problem } from '../../../common/index.js';
import { plainDecimal } from '../../../query/types/number.js';
import type { Cell, Output, Row } from '../sql/sql-engine.js';

/** The JSON text of an object of these outputs. What no server sends for such a column is refused with the whole answer. */
export const objectJson = (outputs: readonly Output[], cells: Row): string =>
  `{${outputs.map((output, i) => `${JSON.stringify(output.key)}:${cellJson(output, cells[i])}`).join()}}`;

function cellJson({ kind, form }: Output, cell: Cell | undefined): string {
  if (cell === undefined) throw notOfItsType();
  if (cell === null) return 'null';
  const text = Buffer.isBuffer(cell) ? cell.toString('utf8') : String(cell);
  switch (kind.type) {
    case 'integer':
      return matching(/^-?\d{1,16}$/, text);
    case 'decimal':
      return JSON.stringify(decimalText(text, kind.options.scale));
    case 'boolean':
      return matching(/^[01]$/, text) === '1' ? 'true' : 'false';
    case 'date':
      return dateJson(text);
    case 'datetime':
      return instantJson(text);
    case 'json':
      return jsonText(text);
    default:
      return JSON.stringify(form === 'binary' ? `\\x${matching(/^[0-9a-f]*$/, text)}` : text);
  }
}

function matching(pattern: RegExp, text: string): string {
  if (!pattern.test(text)) throw notOfItsType();
  return text;
}

const notOfItsType = (cause?: unknown) =>
  new Problem('source_failed', { detail: 'The database sent a value that is not of the type of its column.', cause });

/** With the digits of the column's scale; else without zeros that only a computation left. */
function decimalText(text: string, scale: number | undefined): string {
  const plain = plainDecimal(text) ?? expanded(text);
  if (plain === undefined) throw notOfItsType();
  const [whole = '', fraction = ''] = plain.split('.');
  const kept = scale === undefined ? fraction.replace(/0+$/, '') : withScale(fraction, scale);
  return kept === '' ? whole : `${whole}.${kept}`;
}

const withScale = (fraction: string, scale: number): string =>
  fraction.slice(0, scale).padEnd(scale, '0') + fraction.slice(scale).replace(/0+$/, '');

/** Doubles that have more digits in plain notation than people ever send. */
function expanded(text: string): string | undefined {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const [, sign = '', first = '', more = '', exponent = ''] = match;
  const digits = first + more;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return (
    sign + (digits.length > point ? `${digits.slice(0, point)}.${digits.slice(point)}` : digits.padEnd(point, '0'))
  );
}

/** What MySQL keeps in the place of a date that is none (`0000-00-00`, `2026-00-00`) is no value. */
function dateJson(text: string): string {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(matching(/^\d{4}-\d\d-\d\d$/, text)) ?? [];
  return year === '0000' || month === '00' || day === '00' ? 'null' : `"${text}"`;
}

/** RFC 3339 in UTC, which is the session's time zone, with three digits of fraction and as many more as there are. */
function instantJson(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (!match) throw notOfItsType();
  const [, date = '', time = '', fraction = ''] = match;
  if (dateJson(date) === 'null') return 'null';
  const digits = fraction.slice(0, 3).padEnd(3, '0') + fraction.slice(3).replace(/0+$/, '');
  return `"${date}T${time}.${digits}Z"`;
}

/** As the database keeps it, if it is JSON: an answer of ours must not fall apart over it. */
function jsonText(text: string): string {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw notOfItsType(cause);
  }
  return text;
}
