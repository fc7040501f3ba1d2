import type { JsonScalar, JsonTest } from './plan.js';
import type { CellValue } from './schema.js';
import { compareCodePoints, foldCase } from './types/text.js';

/** What stands at the path in a JSON cell (canonical form: JSON text); undefined where nothing does. As PostgreSQL's `#>`. */
export function valueAt(cell: CellValue, path: readonly string[]): unknown {
  if (typeof cell !== 'string') return undefined;
  let at: unknown = JSON.parse(cell);
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Array.isArray(at)
      ? elementAt(at, part)
      : Object.hasOwn(at, part)
        ? (at as Record<string, unknown>)[part]
        : undefined;
  }
  return at;
}

const MAX_INT = 2 ** 31 - 1;

/** Negative places count from the end. */
function elementAt(list: readonly unknown[], part: string): unknown {
  const place = /^[ \t\n\v\f\r]*[+-]?\d+$/.test(part) ? Number(part.trim()) : NaN;
  return Math.abs(place) <= MAX_INT ? list.at(place) : undefined;
}

/** Whether the value passes the test; one of another type than the test's does not. */
export function passes(test: JsonTest, at: unknown): boolean {
  switch (test.kind) {
    case 'isNull':
      return at === undefined || at === null;
    case 'compare': {
      const order = compare(at, test.value);
      return order !== undefined && holds[test.op](order);
    }
    case 'oneOf':
      return test.values.includes(at as JsonScalar);
    case 'match':
      return typeof at === 'string' && matchesText(foldCase(at), test.mode, foldCase(test.text));
  }
}

const holds = {
  eq: (order: number) => order === 0,
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
} as const;

function compare(a: unknown, b: JsonScalar): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return undefined;
}

/** Both in the form under which letter case is ignored. */
export function matchesText(whole: string, mode: 'contains' | 'startsWith' | 'endsWith', part: string): boolean {
  switch (mode) {
    case 'contains':
      return whole.includes(part);
    case 'startsWith':
      return whole.startsWith(part);
    case 'endsWith':
      return whole.endsWith(part);
  }
}
