import { decimalOf } from './decimal.js';
import type { Expression } from './expression.js';
import type { Value } from './function.js';

/** The value of a constant; null of everything else. */
export function literalValue(part: Expression | undefined): Value {
  if (part?.node !== 'literal') return null;
  const { value, shape } = part;
  return shape.of === 'number' && value !== null
    ? (decimalOf(String(value)) ?? null)
    : typeof value === 'number'
      ? null
      : value;
}
