import { plain, trimmed, widened, type Decimal } from './decimal.js';
import { FAILED, type Outcome, type Value } from './function.js';
import { MAX_TEXT, type Shape } from './shape.js';

/** What TEXT and & make of a value: numbers in plain notation, with as many digits as all values of the shape have. */
export function textOf(value: Value, shape: Pick<Shape, 'fixed' | 'scale'> | undefined): string {
  if (value === null) return '';
  if (typeof value === 'object') return numeral(value as Decimal, shape);
  return String(value);
}

export const numeral = (n: Decimal, shape: Pick<Shape, 'fixed' | 'scale'> | undefined): string =>
  plain(shape?.fixed ? widened(n, shape.scale) : trimmed(n));

/** The value of a parameter that takes texts, dates or datetimes. */
export const asString = (value: Value | undefined): string => (typeof value === 'string' ? value : '');

/** A text that a formula makes of others: an error where it is longer than those may be. Not put together at all where it is much longer. */
export function joined(texts: readonly string[], between = ''): Outcome {
  const units = texts.reduce((sum, { length }) => sum + length, between.length * Math.max(0, texts.length - 1));
  if (units > 2 * MAX_TEXT) return FAILED;
  const made = texts.join(between);
  return units > MAX_TEXT && [...made].length > MAX_TEXT ? FAILED : made;
}
