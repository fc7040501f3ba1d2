import { must } from '../../common/index.js';
import { LIMIT, QUOTIENT_SCALE, magnitude, multiply, rounded, tens, whole, type Decimal } from './decimal.js';

/*
 * Roots, powers, exponentials and logarithms, correct in every digit: in whole numbers that stand for as many digits behind the
 * point as it takes. Floating point would differ from one machine to the next.
 */

const PLACES = 70;
const ONE = tens(PLACES);
/** The next digits are cut off; where the last ones of a result are asked for, there are 60 more to be sure. */
const times = (a: bigint, b: bigint): bigint => (a * b) / ONE;
const fixed = ({ digits, scale }: Decimal): bigint => (digits * ONE) / tens(scale);
const result = (n: bigint): Decimal => rounded({ digits: n, scale: PLACES }, QUOTIENT_SCALE);

function rootOf(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Of a number that is not negative. */
export function squareRoot({ digits, scale }: Decimal): Decimal {
  const places = QUOTIENT_SCALE + 1;
  const even = 2 * places - scale;
  // More digits than that cannot be: numbers of formulas have 18 behind the point.
  return rounded({ digits: rootOf(digits * tens(must(even >= 0 ? even : undefined, 'few digits'))), scale: places }, QUOTIENT_SCALE); // prettier-ignore
}

/** e to the power of it. */
function expOf(x: bigint): bigint {
  // Halved until the series is short, then squared as often; each squaring costs a bit, and there are 200 of them to spare.
  const halvings = 12;
  const small = x >> BigInt(halvings);
  let [sum, term] = [ONE, ONE];
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, small) / n;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = times(sum, sum);
  return sum;
}

/** 2 artanh z = ln((1+z)/(1−z)) */
function logOfRatio(z: bigint): bigint {
  const square = times(z, z);
  let [sum, power] = [0n, z];
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = times(power, square);
  }
  return 2n * sum;
}

let ln2: bigint | undefined;

/** Of a number greater than zero. */
function logOf({ digits, scale }: Decimal): bigint {
  const ratio = { over: digits, under: tens(scale) };
  const twos = ratio.over.toString(2).length - ratio.under.toString(2).length;
  const [over, under] =
    twos >= 0 ? [ratio.over, ratio.under << BigInt(twos)] : [ratio.over << BigInt(-twos), ratio.under];
  ln2 ??= logOfRatio(ONE / 3n);
  return BigInt(twos) * ln2 + logOfRatio(((over - under) * ONE) / (over + under));
}

/** Natural logarithm beyond which e to its power is past the limit of numbers. */
const MOST = 88n * ONE;
/** Below, nothing of it is left within ten digits. */
const LEAST = -60n * ONE;

const power = (exponent: bigint): Decimal | undefined =>
  exponent >= MOST ? undefined : result(expOf(exponent < LEAST ? LEAST : exponent));

/** Undefined past the limit. */
export const exponential = (x: Decimal): Decimal | undefined => power(fixed(x));

/** Undefined where there is none: of zero and below. */
export const naturalLogarithm = (x: Decimal): Decimal | undefined => (x.digits > 0n ? result(logOf(x)) : undefined);

/** Undefined where there is none. */
export function logarithm(x: Decimal, base: Decimal): Decimal | undefined {
  if (x.digits <= 0n || base.digits <= 0n) return undefined;
  const under = logOf(base);
  return under === 0n ? undefined : result((logOf(x) * ONE) / under);
}

/** Whole exponents up to it are multiplied out. */
export const MOST_FACTORS = 1000;

/** Undefined where there is none, or past the limit. */
export function raised(base: Decimal, exponent: Decimal): Decimal | undefined {
  const count = rounded(exponent, 0, 'down');
  const isWhole = count.digits * tens(exponent.scale) === exponent.digits;
  if (base.digits === 0n) return exponent.digits < 0n ? undefined : whole(exponent.digits === 0n ? 1 : 0);
  if (isWhole && magnitude(count.digits) <= MOST_FACTORS) return multiplied(base, Number(count.digits));
  return base.digits < 0n ? undefined : power((fixed(exponent) * logOf(base)) / ONE);
}

function multiplied(base: Decimal, exponent: number): Decimal | undefined {
  const size: Decimal = { digits: magnitude(base.digits), scale: base.scale };
  const estimate = BigInt(exponent) * logOf(size);
  if (estimate >= MOST) return undefined;
  if (estimate < LEAST) return whole(0);
  let product = whole(1);
  for (let i = 0; i < Math.abs(exponent); i++) product = multiply(product, base);
  if (exponent >= 0)
    return magnitude(product.digits) < LIMIT * tens(product.scale) ? rounded(product, QUOTIENT_SCALE) : undefined;
  return inverse(product);
}

function inverse({ digits, scale }: Decimal): Decimal {
  const places = QUOTIENT_SCALE + 1;
  return rounded({ digits: tens(scale + places) / digits, scale: places }, QUOTIENT_SCALE);
}
