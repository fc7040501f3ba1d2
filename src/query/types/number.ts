import type { ColumnOptions, Scalar } from '../schema.js';
import { integer as integerSql, literal, sql, type Sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Operator, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';

export const NUMBER_OPERATORS: readonly Operator[] = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween', 'isNull', 'isNotNull',
]; // prettier-ignore

/** Digits that a decimal may have in all. */
export const MAX_DIGITS = 38;

const notANumber = (): Parsed<never> => refused('not_a_number', 'A number is expected.');

export function parseInteger(input: unknown): Parsed {
  if (typeof input !== 'number') return refused('not_an_integer', 'A whole number is expected.');
  if (!Number.isInteger(input)) return refused('not_an_integer', 'A whole number is expected.');
  if (!Number.isSafeInteger(input)) return refused('out_of_range', 'Whole numbers go from -(2^53-1) to 2^53-1.');
  return accepted(input === 0 ? 0 : input);
}

/** In PostgreSQL: what is a number and nothing else, in a size that a cast takes. */
const NUMBER = '^[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,2})?$';

/** How a type of numbers takes those of other types, and those in texts. */
export const takingNumbers = (fromNumber: NonNullable<ColumnType['fromNumber']>) =>
  ({
    fromNumber,
    fromText: (text, options) =>
      sql`case when length(${text}) <= 100 and trim(${text}) ~ ${literal(NUMBER)} then ${fromNumber(sql`trim(${text})::numeric`, options)} end`,
  }) as const satisfies Partial<ColumnType>;

/** A whole number, where it is one and within these bounds. */
export const wholeNumber = (n: Sql, within: Sql): Sql =>
  sql`case when ${within} and ${n} = trunc(${n}) then ${n}::bigint end`;

export const integer: ColumnType = {
  name: 'integer',
  summary: 'A whole number within ±(2^53−1).',
  operators: NUMBER_OPERATORS,
  bind: 'bigint',
  family: 'number',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse: parseInteger,
  parseText: (input) =>
    /^[+-]?\d{1,32}$/.test(input)
      ? parseInteger(Number(input))
      : refused('not_an_integer', 'A whole number is expected.'),
  physical: () => sql`bigint`,
  check: (column) =>
    sql`${column} between ${integerSql(-Number.MAX_SAFE_INTEGER)} and ${integerSql(Number.MAX_SAFE_INTEGER)}`,
  wire: 'integer',
  toJson: (cell) => sql`${cell}::text`,
  said: String,
  toText: (cell) => sql`${cell}::text`,
  ...takingNumbers((n) => wholeNumber(n, sql`abs(${n}) <= ${integerSql(Number.MAX_SAFE_INTEGER)}`)),
  indexBytes: () => 8,
  compare: (a, b) => compareDecimals(String(a), String(b)),
  jsonSchema: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
};

/** What needs nothing done to it. */
const PLAIN = /^(?:0|-?[1-9]\d*)(?:\.\d+)?$/;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/** Plain decimal notation without exponent, leading zeros, plus sign or negative zero; undefined when it is not a number. Digits after the point are kept as given. */
export function plainDecimal(text: string): string | undefined {
  if (text.length > 400) return undefined;
  if (PLAIN.test(text)) return text;
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole.length + fraction.length === 0) return undefined;
  const shift = Number(exponent);
  if (Math.abs(shift) > 100) return undefined;
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 0);
  const integerPart = padded.slice(0, at).replace(/^0+(?=\d)/, '') || '0';
  const fractionPart = padded.slice(at);
  const plain = fractionPart ? `${integerPart}.${fractionPart}` : integerPart;
  return sign === '-' && /[1-9]/.test(plain) ? '-' + plain : plain;
}

/** Compares two plain decimals exactly. */
export function compareDecimals(a: string, b: string): number {
  const [x, y] = [scaled(a), scaled(b)];
  const scale = Math.max(x.scale, y.scale);
  const [left, right] = [x.digits * 10n ** BigInt(scale - x.scale), y.digits * 10n ** BigInt(scale - y.scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The exact sum of two plain decimals, with as many digits behind the point as the longer one has. */
export function addDecimals(a: string, b: string): string {
  const [x, y] = [scaled(a), scaled(b)];
  const scale = Math.max(x.scale, y.scale);
  const total = x.digits * 10n ** BigInt(scale - x.scale) + y.digits * 10n ** BigInt(scale - y.scale);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${total < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

function scaled(plain: string): { digits: bigint; scale: number } {
  const [whole = '0', fraction = ''] = plain.split('.');
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

export function parseDecimal(input: unknown, { options }: { readonly options: ColumnOptions }): Parsed {
  if (typeof input === 'number') {
    // A JSON number beyond 2^53 was rounded before we saw it; to keep "exact values" it must come as a string.
    if (Number.isInteger(input) && !Number.isSafeInteger(input))
      return refused('out_of_range', 'Send numbers beyond 2^53 as a string, so that no digit is lost.');
    return parseDecimal(String(input), { options });
  }
  if (typeof input !== 'string') return notANumber();
  const plain = plainDecimal(input.trim());
  if (plain === undefined) return notANumber();
  const start = plain.startsWith('-') ? 1 : 0;
  const point = plain.indexOf('.');
  const end = point < 0 ? plain.length : point;
  const fraction = point < 0 ? 0 : plain.length - point - 1;
  const { scale } = options;
  // Where what is kept ends; a scale of 0 takes the point along.
  const keep = scale === undefined || fraction <= scale ? plain.length : scale === 0 ? end : end + 1 + scale;
  if (!onlyZeros(plain, Math.max(keep, end + 1)))
    return refused('too_many_digits', `At most ${scale} digits after the point are allowed.`);
  const wholeDigits = end - start === 1 && plain[start] === '0' ? 0 : end - start;
  if (wholeDigits + (scale ?? fraction) > MAX_DIGITS)
    return refused('out_of_range', `At most ${MAX_DIGITS} digits are kept.`);
  return accepted(plain.slice(0, keep));
}

/** From a place on. */
function onlyZeros(plain: string, from: number): boolean {
  for (let i = from; i < plain.length; i++) if (plain[i] !== '0') return false;
  return true;
}

/** Digits after the point, from 0 to 18. */
export function parseScale(scale: unknown): Parsed<{ readonly scale?: number }> {
  if (scale === undefined || scale === null) return accepted({});
  if (typeof scale !== 'number' || !Number.isInteger(scale) || scale < 0 || scale > 18)
    return refused('invalid_option', 'scale is a whole number from 0 to 18.');
  return accepted({ scale });
}

/** With the zeros behind the point that `numeric(p, scale)` adds. What it would round was accepted under another scale. */
function saidDecimal(plain: string, scale: number | undefined): string | undefined {
  if (scale === undefined) return `"${plain}"`;
  const point = plain.indexOf('.');
  const digits = point < 0 ? 0 : plain.length - point - 1;
  if (digits > scale) return undefined;
  return `"${plain}${point < 0 && scale > 0 ? '.' : ''}${'0'.repeat(scale - digits)}"`;
}

/** What all exact decimal numbers have in common. */
export const DECIMAL_NUMBER = {
  operators: NUMBER_OPERATORS,
  bind: 'numeric',
  family: 'number',
  parse: parseDecimal,
  parseText: parseDecimal,
  physical: ({ scale }) =>
    scale === undefined ? sql`numeric` : sql`numeric(${integerSql(MAX_DIGITS)}, ${integerSql(scale)})`,
  wire: 'decimal',
  toJson: (cell) => sql`'"' || ${cell}::text || '"'`,
  said: (plain: Scalar, { scale }: ColumnOptions) => saidDecimal(String(plain), scale),
  toText: (cell) => sql`${cell}::text`,
  // Without losing a digit.
  ...takingNumbers((n, { scale }) => {
    const fits = sql`abs(${n}) < power(10::numeric, ${integerSql(MAX_DIGITS - (scale ?? 0))})`;
    if (scale === undefined) return sql`case when ${fits} then ${n} end`;
    const rounded = sql`round(${n}, ${integerSql(scale)})`;
    return sql`case when ${n} = ${rounded} and ${fits} then ${rounded} end`;
  }),
  indexBytes: () => MAX_DIGITS,
  compare: (a, b) => compareDecimals(String(a), String(b)),
  identity: (plain) =>
    String(plain)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, ''),
  jsonSchema: { type: 'string', pattern: '^-?\\d+(\\.\\d+)?$' },
} as const satisfies Partial<ColumnType>;

export const decimal: ColumnType = {
  ...DECIMAL_NUMBER,
  name: 'decimal',
  summary: 'An exact decimal number; a JSON string on output, a string or a number on input.',
  parseOptions: (input) => knownOptions(input, ['scale']) ?? parseScale(input.scale),
};
