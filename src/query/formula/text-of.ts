import { plain, trimmed, widened, type Decimal } from './decimal.js';
import type { Value } from './function.js';
import type { Shape } from './shape.js';

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
