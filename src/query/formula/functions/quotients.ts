import { once } from '../../compile/formula/fragments.js';
import { integer, sql, value, type Sql } from '../../sql.js';
import { decimalOf, MAX_SCALE, plain, QUOTIENT_SCALE, tens, type Decimal } from '../decimal.js';
import { constantOf, type CallPart, type Expression } from '../expression.js';
import { numberShape, type Shape } from '../shape.js';

/* Quotients and what they leave, in PostgreSQL: exact to the last digit, as in memory. */

/** A quotient cannot be larger than what the smallest divisor makes of it. */
export const quotientShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: (a.most + 1n) * tens(b.scale) + 1n, scale: QUOTIENT_SCALE }, { fails: true });

/** Digits that decide about halves, by QUOTIENT_SCALE. */
const DECIDING = QUOTIENT_SCALE + 1;
/** More digits cost more than what {@link cutQuotient} does. */
const MANY_DIGITS = 60;

/**
 * Numeric division rounds behind as many digits as the dividend has, and then it is rounded again. A quotient that is no half is
 * away from the next half by 1 / (the divisor's digits as a whole number × 10^11) at least, or × 10^(the dividend's scale) if that is
 * more: with so many digits it is not rounded to a half. The cast to more digits changes but the header of a number.
 */
export function quotient(a: Sql, b: Sql, over: Shape, under: Shape): Sql {
  const digits = Math.max(DECIDING, over.scale) + String(under.most * tens(under.scale)).length;
  if (digits > MANY_DIGITS) return cutQuotient(a, b);
  return sql`round((${a})::numeric(1000, ${integer(digits)}) / nullif(${b}, 0), ${integer(QUOTIENT_SCALE)})`;
}

/** What a number times makes the same as its division by this one; undefined where that has no end. */
function reciprocalOf({ digits, scale }: Decimal): Decimal | undefined {
  for (let places = 0; digits !== 0n && places <= MAX_SCALE; places++)
    if (tens(places + scale) % digits === 0n) return { digits: tens(places + scale) / digits, scale: places };
  return undefined;
}

/** A quotient of two numbers. Those that are written out, such as 100, 2 or 0.5, are factors instead of divisors. */
export function divided(a: Sql, b: Sql, over: Expression, under: Expression): Sql {
  const constant = decimalOf(String(constantOf(under)));
  const factor = constant && reciprocalOf(constant);
  if (!factor) return quotient(a, b, over.shape, under.shape);
  const product = sql`(${a} * ${value(plain(factor), 'numeric')})`;
  return over.shape.scale + factor.scale <= QUOTIENT_SCALE
    ? product
    : sql`round(${product}, ${integer(QUOTIENT_SCALE)})`;
}

/** Cut off behind one digit more, which decides about halves. */
const cutQuotient = (a: Sql, b: Sql): Sql =>
  sql`round(div(${a} * 100000000000, nullif(${b}, 0)) * 0.00000000001, ${integer(QUOTIENT_SCALE)})`;

export const flooredRemainder = (a: Sql, b: Sql): Sql =>
  once(b, (divisor) => sql`mod(mod(${a}, nullif(${divisor}, 0)) + ${divisor}, nullif(${divisor}, 0))`);

/** Whole numbers as such, unless twice the divisor is too large for them. */
export function remainderOf(a: Sql, b: Sql, { args }: CallPart): Sql {
  const isSmall = args.every(({ shape }) => 2n * shape.most < 2n ** 63n);
  return isSmall ? flooredRemainder(a, b) : flooredRemainder(sql`(${a})::numeric`, sql`(${b})::numeric`);
}

export const remainderShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: b.most, scale: Math.max(a.scale, b.scale), fixed: a.fixed && b.fixed }, { fails: true });
