import { Problem } from '../../../common/index.js';

/*
 * Aggregations are plain data here. What a request gave stands in a `$literal`, a `Bound` or behind an operator of a `$match`; it is
 * never a name and never an operator. Names of fields come from the schema and pass `fieldPath`.
 */

/** An expression of MongoDB's aggregation language. */
export type MongoExpression = unknown;

/** A document that is sent: a stage, a filter, an update. */
export type MongoDocument = Readonly<Record<string, unknown>>;

export type BoundType = 'int' | 'long' | 'double' | 'decimal' | 'date' | 'objectId' | 'uuid' | 'binData' | 'ejson';

/** A value of a BSON type that JavaScript has not; the engine makes it one of its driver. */
export class Bound {
  constructor(
    readonly type: BoundType,
    /** Digits, an instant in RFC 3339, hexadecimal digits, or Extended JSON (`ejson`). */
    readonly text: string,
  ) {}
}

/** A value as MongoDB takes it: nothing in it is read as an operator or a field. */
export const literal = (value: unknown): MongoExpression => ({ $literal: value });

export const all = (items: readonly MongoExpression[]): MongoExpression => combined('$and', items, true);
export const any = (items: readonly MongoExpression[]): MongoExpression => combined('$or', items, false);
export const not = (item: MongoExpression): MongoExpression => ({ $not: [item] });

function combined(operator: '$and' | '$or', items: readonly MongoExpression[], none: boolean): MongoExpression {
  return items.length === 0 ? literal(none) : items.length === 1 ? items[0] : { [operator]: items };
}

/** What MongoDB cannot do, or not as this product means it. */
export const unsupported = (detail: string): Problem => new Problem('not_supported_by_source', { detail });

/** No part of a path may be taken for an operator or a variable, or be something else to JavaScript or to MongoDB's drivers. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a field can be addressed by this name. */
export const isFieldName = (name: string): boolean =>
  name !== '' && !/^\$|[.\0]/.test(name) && !FORBIDDEN.has(name) && name.isWellFormed();

/**
 * The path of a nested field, its parts divided by dots.
 * @throws Problem `not_supported_by_source` for names that MongoDB would take for something else
 */
export function fieldPath(path: string): string {
  if (path.split('.').every(isFieldName)) return path;
  throw unsupported(`A field of the name ${JSON.stringify(path.slice(0, 60))} cannot be addressed.`);
}
