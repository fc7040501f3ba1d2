import { Decimal128, Double, Int32, Long } from 'mongodb';

/** `digits` / 10^`scale`, or one of the three that are no numbers. */
export type Exact = { readonly digits: bigint; readonly scale: number } | 'NaN' | 'Infinity' | '-Infinity';
export type Finite = Exclude<Exact, string>;

export type BsonNumber = Int32 | Long | Double | Decimal128;
export const isNumber = (value: unknown): value is BsonNumber =>
  value instanceof Int32 || value instanceof Long || value instanceof Double || value instanceof Decimal128;

const DIGITS = 34;
const power = (n: number): bigint => 10n ** BigInt(n);

/** The number itself, of a double with all digits that it has. */
export function exactOf(value: BsonNumber): Exact {
  if (value instanceof Int32) return { digits: BigInt(value.value), scale: 0 };
  if (value instanceof Long) return { digits: value.toBigInt(), scale: 0 };
  return value instanceof Double ? ofDouble(value.value) : parsed(value.toString());
}

export function parsed(text: string): Exact {
  const match = /^(-?)(\d*)\.?(\d*)(?:E([+-]?\d+))?$/i.exec(text);
  if (!match) return text.startsWith('-') ? '-Infinity' : text === 'NaN' ? 'NaN' : 'Infinity';
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(`${whole}${fraction}` || '0');
  return plain({ digits: sign ? -digits : digits, scale: fraction.length - Number(exponent) });
}

const plain = ({ digits, scale }: Finite): Finite =>
  scale < 0 ? { digits: digits * power(-scale), scale: 0 } : { digits, scale };

function ofDouble(value: number): Exact {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return { digits: 0n, scale: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const stored = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (stored === 0 ? 0n : 1n << 52n);
  const exponent = (stored || 1) - 1075;
  const size = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  return { digits: value < 0 ? -size : size, scale: Math.max(0, -exponent) };
}

/** What is not a number is the smallest. */
export function compareExact(a: Exact, b: Exact): number {
  const rank = (of: Exact): number => (of === 'NaN' ? 0 : of === '-Infinity' ? 1 : of === 'Infinity' ? 3 : 2);
  if (typeof a === 'string' || typeof b === 'string') return rank(a) - rank(b);
  const scale = Math.max(a.scale, b.scale);
  const difference = a.digits * power(scale - a.scale) - b.digits * power(scale - b.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** To the nearest with so many digits behind the point, ties to the even one. */
export function rounded({ digits, scale }: Finite, places: number): Finite {
  if (scale <= places) return { digits, scale };
  const unit = power(scale - places);
  const size = digits < 0n ? -digits : digits;
  const [kept, rest] = [size / unit, 2n * (size % unit)];
  const up = rest > unit || (rest === unit && kept % 2n === 1n) ? 1n : 0n;
  return plain({ digits: (digits < 0n ? -1n : 1n) * (kept + up), scale: places });
}

export const significantDigits = ({ digits }: Finite): number =>
  (digits < 0n ? -digits : digits).toString().replace(/^0$/, '').length;

/** The nearest number of so many significant digits. */
export const roundedTo = (value: Exact, significant: number): Exact =>
  typeof value === 'string' ? value : rounded(value, value.scale - Math.max(0, significantDigits(value) - significant));

export function text(value: Exact): string {
  if (typeof value === 'string') return value;
  const { digits, scale } = value;
  return `${digits}${scale === 0 ? '' : `E-${scale}`}`;
}

export function decimal(value: Exact): Decimal128 {
  const kept = roundedTo(value, DIGITS);
  if (typeof kept === 'string') return Decimal128.fromString(kept);
  let { digits, scale } = kept;
  while (digits !== 0n && digits % 10n === 0n && (scale > 0 || significantDigits({ digits, scale }) > DIGITS)) {
    digits /= 10n;
    scale -= 1;
  }
  return Decimal128.fromString(scale === 0 ? digits.toString() : `${digits}E${-scale}`);
}

export const numeric = (value: Exact): number => Number(text(value));

const isDecimal = (value: BsonNumber): boolean => value instanceof Decimal128;
const isDouble = (value: BsonNumber): boolean => value instanceof Double;

/** As a decimal: MongoDB makes them of doubles with fifteen digits. */
export function toDecimal(value: BsonNumber): Decimal128 {
  if (value instanceof Decimal128) return value;
  return decimal(value instanceof Double ? roundedTo(exactOf(value), 15) : exactOf(value));
}

type Operation = 'add' | 'subtract' | 'multiply';

/** In the widest type of the two: whole numbers, doubles, decimals. */
export function calculate(operation: Operation, a: BsonNumber, b: BsonNumber): BsonNumber {
  if (isDecimal(a) || isDecimal(b)) {
    const [x, y] = [exactOf(toDecimal(a)), exactOf(toDecimal(b))];
    return typeof x === 'string' || typeof y === 'string'
      ? Decimal128.fromString(String(floating(operation, numeric(x), numeric(y))))
      : decimal(whole(operation, x, y));
  }
  if (isDouble(a) || isDouble(b)) return new Double(floating(operation, Number(a), Number(b)));
  const result = whole(operation, exactOf(a) as Finite, exactOf(b) as Finite).digits;
  if (a instanceof Int32 && b instanceof Int32 && result === BigInt.asIntN(32, result))
    return new Int32(Number(result));
  return result === BigInt.asIntN(64, result) ? Long.fromBigInt(result) : new Double(Number(result));
}

function floating(operation: Operation, a: number, b: number): number {
  return operation === 'add' ? a + b : operation === 'subtract' ? a - b : a * b;
}

function whole(operation: Operation, a: Finite, b: Finite): Finite {
  if (operation === 'multiply') return { digits: a.digits * b.digits, scale: a.scale + b.scale };
  const scale = Math.max(a.scale, b.scale);
  const [x, y] = [a.digits * power(scale - a.scale), b.digits * power(scale - b.scale)];
  return { digits: operation === 'add' ? x + y : x - y, scale };
}

export function divide(a: BsonNumber, b: BsonNumber): BsonNumber {
  if (!isDecimal(a) && !isDecimal(b)) return new Double(Number(a) / Number(b));
  const [x, y] = [exactOf(toDecimal(a)), exactOf(toDecimal(b))];
  if (typeof x === 'string' || typeof y === 'string' || y.digits === 0n)
    return Decimal128.fromString(String(numeric(x) / numeric(y)));
  // Some digits more than are kept, and one that says whether there are others.
  const more = DIGITS + 10 + significantDigits(y);
  const dividend = x.digits * power(more + y.scale);
  const quotient = dividend / (y.digits * power(x.scale));
  const isInexact = quotient * y.digits * power(x.scale) !== dividend;
  const sticky = quotient * 10n + (isInexact ? (x.digits < 0n === y.digits < 0n ? 1n : -1n) : 0n);
  return decimal({ digits: sticky, scale: more + 1 });
}

/** `change` of the exact value, in the type that the number has. */
export function mapped(value: BsonNumber, change: (exact: Finite) => Finite): BsonNumber {
  const exact = exactOf(value);
  if (typeof exact === 'string') return value;
  if (value instanceof Decimal128) return decimal(change(exact));
  if (value instanceof Double) return new Double(numeric(change(exact)));
  return ofWhole(value, change(exact));
}

const ofWhole = (value: Int32 | Long, { digits }: Finite): BsonNumber =>
  value instanceof Int32 ? new Int32(Number(digits)) : Long.fromBigInt(digits);

export const floored = (value: Finite): Finite => {
  const unit = power(value.scale);
  const quotient = value.digits / unit;
  return { digits: value.digits < 0n && quotient * unit !== value.digits ? quotient - 1n : quotient, scale: 0 };
};
export const truncated = ({ digits, scale }: Finite, places = 0): Finite =>
  scale <= places ? { digits, scale } : plain({ digits: digits / power(scale - places), scale: places });
export const negated = ({ digits, scale }: Finite): Finite => ({ digits: -digits, scale });

/** With the sign of what is divided. */
export function remainder(a: Finite, b: Finite): Finite {
  const scale = Math.max(a.scale, b.scale);
  return { digits: (a.digits * power(scale - a.scale)) % (b.digits * power(scale - b.scale)), scale };
}

/** Of base ten. Between powers of ten it is near enough, and never on the wrong side of a whole number. */
export function logarithm(value: BsonNumber): BsonNumber {
  const exact = exactOf(value);
  if (typeof exact === 'string' || exact.digits <= 0n) return new Double(NaN);
  const exponent = significantDigits(exact) - 1 - exact.scale;
  const isPower = /^10*$/.test(exact.digits.toString());
  const fraction = isPower ? 0 : Math.min(0.999999, Math.max(0.000001, Math.log10(numeric(exact)) - exponent));
  const logarithm = parsed((exponent + fraction).toFixed(6));
  return isDecimal(value) ? decimal(logarithm) : new Double(numeric(logarithm));
}

/** To a whole power. */
export function raised(base: BsonNumber, exponent: number): BsonNumber {
  if (!isDecimal(base)) return new Double(Number(base) ** exponent);
  const exact = exactOf(base);
  if (typeof exact === 'string') return base;
  const size = BigInt(Math.abs(exponent));
  const result = { digits: exact.digits ** size, scale: exact.scale * Number(size) };
  return exponent >= 0 ? decimal(result) : divide(decimal({ digits: 1n, scale: 0 }), decimal(result));
}
