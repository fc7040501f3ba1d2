import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { compareCodePoints } from '../../../src/query/types/text.js';
import { compareExact, exactOf, isNumber } from './numbers.js';

export type Doc = Readonly<Record<string, unknown>>;

export const isDoc = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && typeOf(value) === 'object';

/** MongoDB's name of the type of a value; `missing` where there is none. */
export function typeOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    case 'object':
      return objectType(value);
    default:
      throw new TypeError('this is no value of BSON');
  }
}

function objectType(value: object): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof Int32) return 'int';
  // A Timestamp is a Long, too.
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Long) return 'long';
  if (value instanceof Double) return 'double';
  if (value instanceof Decimal128) return 'decimal';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof Binary) return 'binData';
  if (value instanceof BSONRegExp) return 'regex';
  if (value instanceof MinKey) return 'minKey';
  return value instanceof MaxKey ? 'maxKey' : 'object';
}

const RANKS: Readonly<Record<string, number>> = {
  minKey: -1, missing: 0, null: 5, int: 10, long: 10, double: 10, decimal: 10, string: 15, object: 20, array: 25, binData: 30,
  objectId: 35, bool: 40, date: 45, timestamp: 47, regex: 50, maxKey: 127,
}; // prettier-ignore
export const rankOf = (value: unknown): number => RANKS[typeOf(value)] ?? 100;

/** The order of all values, across types. */
export function compare(a: unknown, b: unknown): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (isNumber(a) && isNumber(b)) return compareExact(exactOf(a), exactOf(b));
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof ObjectId && b instanceof ObjectId) return Buffer.compare(a.id, b.id);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Binary && b instanceof Binary)
    return a.length() - b.length() || a.sub_type - b.sub_type || Buffer.compare(a.value(), b.value());
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (isDoc(a) && isDoc(b)) return compareDocs(a, b);
  return compareCodePoints(String(a), String(b));
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const sign = compare(a[i], b[i]);
    if (sign !== 0) return sign;
  }
  return a.length - b.length;
}

function compareDocs(a: Doc, b: Doc): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [[x, v] = ['', null], [y, w] = ['', null]] = [left[i], right[i]];
    const sign = rankOf(v) - rankOf(w) || compareCodePoints(x, y) || compare(v, w);
    if (sign !== 0) return sign;
  }
  return left.length - right.length;
}

export const equal = (a: unknown, b: unknown): boolean => compare(a, b) === 0;

/** An error as MongoDB reports it. */
export class CommandError extends Error {
  constructor(
    readonly code: number,
    readonly codeName: string,
    message: string,
    readonly extra: Doc = {},
  ) {
    super(message);
  }
}

export const failed = (message: string): CommandError => new CommandError(2, 'BadValue', message);

/** A document with any names of members, `__proto__` too. */
export function docOf(entries: Iterable<readonly [string, unknown]>): Doc {
  return Object.fromEntries(entries);
}
