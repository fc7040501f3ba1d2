import type { Comparison } from '../../plan.js';
import type { Scalar } from '../../schema.js';
import { compareDecimals, plainDecimal } from '../../types/number.js';
import { Bound } from './document.js';

/** Digits that a Decimal128 keeps. */
const DECIMAL_DIGITS = 34;
const [INT_MIN, INT_MAX] = [-(2n ** 31n), 2n ** 31n - 1n];
const [LONG_MIN, LONG_MAX] = [-(2n ** 63n), 2n ** 63n - 1n];

/** How cells compare with a number: an operator and a bound value that say the same, or what is so for all of them. */
export type NumberTest = boolean | { readonly op: Exclude<Comparison, 'neq'>; readonly value: Bound };

/** Of cells whose values are exact numbers. */
export function exactTest(op: Exclude<Comparison, 'neq'>, value: Scalar): NumberTest {
  const plain = String(value);
  const exact = exactNumber(plain);
  return exact ? { op, value: exact } : besides(op, { below: new Bound('decimal', floorOf(plain)) });
}

/**
 * Of cells that are doubles. What is shown of a double is its shortest decimal, so `0.1` is the double 0.1 and not the number 0.1,
 * which no double is.
 */
export function doubleTest(op: Exclude<Comparison, 'neq'>, value: Scalar): NumberTest {
  const plain = String(value);
  const nearest = Number(plain);
  if (!Number.isFinite(nearest)) return nearest > 0 === (op === 'lt' || op === 'lte') && op !== 'eq';
  const side = compareDecimals(shortest(nearest), plain);
  const bound = new Bound('double', String(nearest));
  if (side === 0) return { op, value: bound };
  return besides(op, side < 0 ? { below: bound } : { above: bound });
}

/** For a number that lies between two neighbours, of which one is given. */
function besides(
  op: Exclude<Comparison, 'neq'>,
  { below, above }: { readonly below?: Bound; readonly above?: Bound },
): NumberTest {
  if (op === 'eq') return false;
  const isLess = op === 'lt' || op === 'lte';
  if (below) return { op: isLess ? 'lte' : 'gt', value: below };
  return above ? { op: isLess ? 'lt' : 'gte', value: above } : false;
}

/** The decimal that a double is shown as. */
export const shortest = (double: number): string => plainDecimal(String(double)) ?? expanded(double);

/** Doubles of magnitudes for which `plainDecimal` is not made. */
function expanded(double: number): string {
  const [mantissa = '0', exponent = '0'] = Math.abs(double).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponent) + 1;
  const plain = point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`;
  return double < 0 ? `-${plain}` : plain;
}

/** The number as the smallest BSON type that holds it exactly; undefined where none does. */
export function exactNumber(plain: string): Bound | undefined {
  if (/^-?\d+$/.test(plain)) {
    const whole = BigInt(plain);
    if (whole >= INT_MIN && whole <= INT_MAX) return new Bound('int', whole.toString());
    if (whole >= LONG_MIN && whole <= LONG_MAX) return new Bound('long', whole.toString());
  }
  return significant(plain).length <= DECIMAL_DIGITS ? new Bound('decimal', plain) : undefined;
}

const significant = (plain: string): string => plain.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');

/** The largest number of 34 digits that is smaller. */
function floorOf(plain: string): string {
  const negative = plain.startsWith('-');
  const [whole = '0', fraction = ''] = plain.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = BigInt(digits.slice(0, DECIMAL_DIGITS)) + (negative ? 1n : 0n);
  const exponent = digits.length - DECIMAL_DIGITS - fraction.length;
  return `${negative ? '-' : ''}${kept}E${exponent}`;
}
