import type { MatchMode } from '../../case-pattern.js';
import { casePattern } from '../../case-pattern.js';
import type { CallPart } from '../../formula/expression.js';
import { tens } from '../../formula/decimal.js';
import { alike, hasNewerLetters } from '../../formula/letters.js';
import { isWhole, MAX_TEXT, type Shape } from '../../formula/shape.js';
import { all, any, Bound, literal, type MongoExpression } from '../mongo/document.js';
import { nested } from './nesting.js';

/*
 * The same pieces as expressions of MongoDB. An operator raises an error where it is given what it does not take, also in a branch that
 * is not taken, for constants are computed before: so operands are made harmless, and not only their results left.
 */

/** Significant digits that a Decimal128 keeps; what can need more has no exact form. */
const DIGITS = 34;

export const int = (n: number | bigint): MongoExpression => literal(new Bound('long', String(n)));
const decimal = (text: string): MongoExpression => literal(new Bound('decimal', text));
export const isNothing = (value: MongoExpression): MongoExpression => ({ $eq: [value, null] });
export const choose = (condition: MongoExpression, then: MongoExpression, otherwise: MongoExpression) => ({
  $cond: [condition, then, otherwise],
});
/** The value under a name, for what says it more than once. */
export const once = (value: MongoExpression, use: (value: MongoExpression) => MongoExpression): MongoExpression =>
  nested((level) => ({ $let: { vars: { [`x${level}`]: value }, in: use(`$$x${level}`) } }));
const digitsOf = (n: bigint): number => (n === 0n ? 1 : n.toString().length);

/** Whether all numbers of the shape are kept exactly. */
export const isExact = ({ most, scale }: Shape): boolean => digitsOf(most) + scale <= DIGITS;

/** What arithmetic makes, where neither it nor what it is made of can have too many digits. */
export const exactly = (call: CallPart, made: MongoExpression): MongoExpression =>
  !call.shape.rounds && [call, ...call.args].every(({ shape }) => isExact(shape)) ? made : undefined;

/** A number so large has no digits behind the place, and with those in front it would be too long for what cuts them off. */
const cutTo = (n: MongoExpression, places: number, cut: (x: MongoExpression) => MongoExpression): MongoExpression =>
  once(n, (x) => choose({ $gte: [{ $abs: x }, decimal(`1E${DIGITS - 1 - places}`)] }, x, cut(x)));

/** Sums and products as decimals: of 64-bit whole numbers they would become doubles where they are large. */
export const arithmetic = (
  operator: '$add' | '$subtract' | '$multiply',
  [a, b]: readonly MongoExpression[],
  call: CallPart,
): MongoExpression => exactly(call, { [operator]: [{ $toDecimal: a }, b] });

export const negated = (n: MongoExpression): MongoExpression => ({ $subtract: [decimal('0'), n] });

/** Halves away from zero; `$round` has them to the even digit. */
export const rounded = (n: MongoExpression, places: number): MongoExpression =>
  cutTo(n, places, (x) => {
    const [unit, half] = [`1E${-places}`, `5E${-places - 1}`];
    const cut = { $trunc: [x, places] };
    const rest = { $subtract: [x, cut] };
    const up = choose({ $gte: [rest, decimal(half)] }, decimal(unit), int(0));
    return { $add: [cut, choose({ $lte: [rest, decimal(`-${half}`)] }, decimal(`-${unit}`), up)] };
  });

/** Towards zero. */
export const truncated = (n: MongoExpression, places: number): MongoExpression =>
  cutTo(n, places, (x) => ({ $trunc: [x, places] }));

const divisor = (b: MongoExpression): MongoExpression => choose({ $eq: [b, int(0)] }, null, b);

/** Ten digits behind the point are rounded twice, which shows only where all 34 digits are a half: those of exact operands never are. */
export function quotient(a: MongoExpression, b: MongoExpression, { args }: CallPart): MongoExpression {
  const [x, y] = args.map(({ shape }) => shape);
  if (!x || !y) return undefined;
  const [over, under] = [digitsOf(x.most) + x.scale, digitsOf(y.most) + y.scale];
  if (over + y.scale + 12 > DIGITS || under + x.scale + 12 > DIGITS) return undefined;
  return rounded({ $divide: [{ $toDecimal: a }, divisor(b)] }, 10);
}

/** With the sign of the divisor. */
export const flooredRemainder = (a: MongoExpression, b: MongoExpression): MongoExpression => ({
  $mod: [{ $add: [{ $mod: [a, divisor(b)] }, b] }, divisor(b)],
});

/** From `least` to a million, as whole as it may be. */
export const asCount = (n: MongoExpression, least = 0): MongoExpression => ({
  $toInt: { $trunc: [{ $min: [{ $max: [n, int(least)] }, int(1_000_000)] }, 0] },
});

/** A text that is one whatever it is made of. */
export const asText = (text: MongoExpression): MongoExpression => ({ $ifNull: [text, literal('')] });
export const length = (text: MongoExpression): MongoExpression => ({ $strLenCP: asText(text) });
export const part = (text: MongoExpression, from: MongoExpression, count: MongoExpression): MongoExpression => ({
  $substrCP: [asText(text), from, count],
});

/** What TEXT and & make of a value; undefined where MongoDB writes it otherwise. */
export function shown(shape: Shape, value: MongoExpression): MongoExpression {
  switch (shape.of) {
    case 'text':
      return value;
    case 'boolean':
      return choose(isNothing(value), null, choose(value, literal('true'), literal('false')));
    case 'datetime':
      return { $dateToString: { date: value, format: '%Y-%m-%dT%H:%M:%S.%LZ' } };
    case 'number':
      return isWhole(shape) ? { $toString: asLong(value) } : undefined;
    case 'null':
      return literal(null);
    default:
      return undefined;
  }
}

/** Not `$toLong`, which is an error past 64 bits. */
export const asLong = (n: MongoExpression): MongoExpression => ({
  $convert: { input: n, to: 'long', onError: null, onNull: null },
});

/** All as one text, null where that is too long. */
export function joined(texts: readonly MongoExpression[], longest: number): MongoExpression {
  const made = { $concat: texts.map(asText) };
  return longest <= MAX_TEXT ? made : choose({ $lte: [{ $add: texts.map(length) }, int(MAX_TEXT)] }, made, null);
}

/** Longer patterns are refused by MongoDB. */
const MAX_PATTERN_BYTES = 16_000;

/** Whether a constant part is in a text, whatever the letter case; undefined where that cannot be said. */
export function matches(text: MongoExpression, wanted: unknown, mode: MatchMode): MongoExpression {
  if (typeof wanted !== 'string' || wanted === '' || hasNewerLetters(wanted)) return undefined;
  const regex = casePattern(alike(wanted), mode);
  if (Buffer.byteLength(regex) > MAX_PATTERN_BYTES) return undefined;
  return { $regexMatch: { input: asText(text), regex: literal(regex) } };
}

export const FIRST_INSTANT = literal(new Bound('date', '0001-01-01T00:00:00.000Z'));
export const LAST_INSTANT = literal(new Bound('date', '9999-12-31T23:59:59.999Z'));

/** What a cell of another database may hold, cut to what numbers of formulas can be. */
export function withinLimit(n: MongoExpression): MongoExpression {
  const limit = tens(38).toString();
  const isWithin = (x: MongoExpression) => all([{ $gt: [x, decimal(`-${limit}`)] }, { $lt: [x, decimal(limit)] }]);
  return once(n, (x) => choose(isWithin(x), rounded(x, 18), null));
}

/** Two-valued: null is neither smaller nor greater than anything, though to MongoDB it is the smallest. */
export const ordered = (sign: '$lt' | '$lte' | '$gt' | '$gte', a: MongoExpression, b: MongoExpression) => {
  const both = all([{ $ne: [a, null] }, { $ne: [b, null] }, { [sign]: [a, b] }]);
  return sign === '$lt' || sign === '$gt' ? both : any([{ $eq: [a, b] }, both]);
};
