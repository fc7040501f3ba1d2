import { plainDecimal } from '../types/number.js';

/** An exact decimal number: `digits` × 10^−`scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Digits behind the point that a number of a formula has at most. */
export const MAX_SCALE = 18;
/** Digits behind the point of what has no end: quotients, averages, roots. */
export const QUOTIENT_SCALE = 10;
/** All numbers of formulas are smaller, with and without sign. */
export const LIMIT = 10n ** 38n;

export const whole = (n: bigint | number): Decimal => ({ digits: BigInt(n), scale: 0 });
export const ZERO = whole(0);
export const isZero = ({ digits }: Decimal): boolean => digits === 0n;
export const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);
export const tens = (power: number): bigint => 10n ** BigInt(power);

/** Reads plain or scientific notation; undefined where it is no number. */
export function decimalOf(text: string): Decimal | undefined {
  const plain = plainDecimal(text);
  if (plain === undefined) return undefined;
  const [front = '0', fraction = ''] = plain.split('.');
  return { digits: BigInt(front + fraction), scale: fraction.length };
}

/** Plain notation with all digits that it has behind the point. */
export function plain({ digits, scale }: Decimal): string {
  const text = magnitude(digits)
    .toString()
    .padStart(scale + 1, '0');
  const front = text.slice(0, text.length - scale);
  return `${digits < 0n ? '-' : ''}${front}${scale === 0 ? '' : `.${text.slice(-scale)}`}`;
}

/** Without zeros at the end of the fraction. */
export function trimmed({ digits, scale }: Decimal): Decimal {
  let [rest, places] = [digits, scale];
  while (places > 0 && rest % 10n === 0n) {
    rest /= 10n;
    places--;
  }
  return { digits: rest, scale: places };
}

/** The same number with at least so many digits behind the point. */
export const widened = (n: Decimal, scale: number): Decimal =>
  n.scale >= scale ? n : { digits: n.digits * tens(scale - n.scale), scale };

/** The digits of both at the scale of the longer one. */
export function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [widened(a, scale).digits, widened(b, scale).digits, scale];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return { digits: x + y, scale };
}

export const negated = ({ digits, scale }: Decimal): Decimal => ({ digits: -digits, scale });
export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negated(b));
export const multiply = (a: Decimal, b: Decimal): Decimal => ({
  digits: a.digits * b.digits,
  scale: a.scale + b.scale,
});

export function compareNumbers(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export const ROUNDINGS = ['half', 'up', 'down'] as const;
/** Halves away from zero, everything away from zero, or towards it. */
export type Rounding = (typeof ROUNDINGS)[number];

/** As many digits behind the point at most; fewer than none rounds to tens, hundreds and so on. */
export function rounded(n: Decimal, places: number, rounding: Rounding = 'half'): Decimal {
  if (n.scale <= places) return n;
  const unit = tens(n.scale - places);
  const size = magnitude(n.digits);
  const [quotient, rest] = [size / unit, size % unit];
  const isUp = rounding === 'half' ? rest * 2n >= unit : rounding === 'up' && rest > 0n;
  const count = isUp ? quotient + 1n : quotient;
  const digits = n.digits < 0n ? -count : count;
  return places >= 0 ? { digits, scale: places } : { digits: digits * tens(-places), scale: 0 };
}

/** The quotient of two numbers, the divisor not being zero, rounded to so many digits behind the point. */
export function divide(a: Decimal, b: Decimal, scale = QUOTIENT_SCALE): Decimal {
  const [x, y] = aligned(a, b);
  // One digit more decides about halves, whatever is cut off behind it.
  const size = (magnitude(x) * tens(scale + 1)) / magnitude(y);
  return rounded({ digits: x < 0n === y < 0n ? size : -size, scale: scale + 1 }, scale);
}

/** What is left by the division, with the sign of the divisor. */
export function remainder(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  const rest = x % y;
  return { digits: rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest, scale };
}

/** The largest whole number that is not larger. */
export function floor(n: Decimal): Decimal {
  const down = rounded(n, 0, 'down');
  return compareNumbers(down, n) > 0 ? subtract(down, whole(1)) : down;
}

export const ceiling = (n: Decimal): Decimal => negated(floor(negated(n)));

export const absolute = ({ digits, scale }: Decimal): Decimal => ({ digits: magnitude(digits), scale });
export const signOf = ({ digits }: Decimal): number => (digits < 0n ? -1 : digits > 0n ? 1 : 0);

/** As a JavaScript number, for counts and places, whose limits are near. What is behind the point is cut off. */
export function toCount(n: Decimal): number {
  const { digits } = rounded(n, 0, 'down');
  return Number(digits);
}
