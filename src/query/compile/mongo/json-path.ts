import type { JsonScalar, JsonTest } from '../../plan.js';
import { all, any, Bound, literal, type MongoExpression } from './document.js';
import { textMatch } from './text-match.js';
import type { MongoCell } from './forms.js';
import { exactNumber } from './numbers.js';

const MAX_INT = 2 ** 31 - 1;

/** A test of what stands at the path inside a document or list. */
export function jsonTest(cell: MongoCell, path: readonly string[], test: JsonTest): MongoExpression {
  const at = path.reduce(step, cell.raw);
  return { $let: { vars: { at }, in: passes(test) } };
}

/** Members by their names, which may be any; elements of lists by their places, negative ones from the end. */
function step(from: MongoExpression, part: string): MongoExpression {
  const place = /^[ \t\n\v\f\r]*[+-]?\d+$/.test(part) ? Number(part.trim()) : NaN;
  const member = { case: is('$$of', ['object']), then: { $getField: { field: literal(part), input: '$$of' } } };
  const element = { case: is('$$of', ['array']), then: { $arrayElemAt: ['$$of', place] } };
  const branches = Math.abs(place) <= MAX_INT ? [member, element] : [member];
  return { $let: { vars: { of: from }, in: { $switch: { branches, default: null } } } };
}

const is = (value: MongoExpression, types: readonly string[]): MongoExpression => ({ $in: [{ $type: value }, types] });

function passes(test: JsonTest): MongoExpression {
  switch (test.kind) {
    case 'isNull':
      return { $lte: ['$$at', null] };
    case 'compare':
      return compare(test.op, test.value);
    case 'oneOf':
      return any(test.values.map((value) => compare('eq', value)));
    case 'match':
      return all([is('$$at', TEXTS), test.text === '' ? literal(true) : textMatch(TEXT, test.mode, test.text)]);
  }
}

/** What is a text in JSON: an identifier is one, too. */
const TEXTS = ['string', 'objectId'];
const TEXT: MongoExpression = { $cond: [is('$$at', ['objectId']), { $toString: '$$at' }, '$$at'] };

/** Doubles are compared as doubles, decimals as the number that was written. */
function compare(op: Extract<JsonTest, { kind: 'compare' }>['op'], value: JsonScalar): MongoExpression {
  const holds = (at: MongoExpression, wanted: unknown): MongoExpression => ({ [`$${op}`]: [at, literal(wanted)] });
  if (typeof value === 'boolean') return all([is('$$at', ['bool']), holds('$$at', value)]);
  if (typeof value === 'string') return all([is('$$at', TEXTS), holds(TEXT, value)]);
  const double = new Bound('double', String(value));
  const exact = exactNumber(String(value)) ?? double;
  return any([
    all([is('$$at', ['double', 'int', 'long']), holds('$$at', double)]),
    all([is('$$at', ['decimal']), holds('$$at', exact)]),
  ]);
}
