import { BSON, Decimal128, Double, Int32, Long, ObjectId, type Document } from 'mongodb';
import type { MongoMutation, MongoSet } from '../../../query/index.js';
import { decimalText } from './cells.js';
import { EXACT } from './link.js';
import { value as bsonValue } from './to-bson.js';

/** A document as it is kept: through BSON and back, so that all that is in it is of a BSON type. */
const kept = (doc: Document): Document => BSON.deserialize(BSON.serialize(doc, { ignoreUndefined: true }), EXACT);

/** The document that is made of these values. Its id is ours where none is given, so that it is known. */
export function madeOf(sets: readonly MongoSet[]): Document {
  const doc = sets.reduce<Document>((each, set) => withValue(each, set), {});
  return kept('_id' in doc ? doc : { _id: new ObjectId(), ...doc });
}

/** What an update made of the document that it found. Nothing else happened to it: the update is one step. */
export function updated(before: Document, { set, increment }: Extract<MongoMutation, { op: 'update' }>): Document {
  const doc = kept(set.reduce<Document>((each, one) => withValue(each, one), before));
  return increment === undefined ? doc : grown(doc, increment.split('.'));
}

const withValue = (doc: Document, { path, value }: MongoSet): Document =>
  changedAt(doc, path.split('.'), () => bsonValue(value));

const grown = (doc: Document, path: readonly string[]): Document => changedAt(doc, path, plusOne);

function changedAt(of: unknown, [first = '', ...rest]: readonly string[], change: (of: unknown) => unknown): Document {
  const doc = typeof of === 'object' && of !== null ? (of as Document) : {};
  const value: unknown = Object.hasOwn(doc, first) ? doc[first] : undefined;
  const next = rest.length === 0 ? change(value) : changedAt(value, rest, change);
  // Where it stands, or at the end; by entries, for names may be any.
  const entries = Object.entries(doc).map(([name, each]): [string, unknown] => [name, name === first ? next : each]);
  return Object.fromEntries(Object.hasOwn(doc, first) ? entries : [...entries, [first, next]]);
}

const LARGEST_INT = 2 ** 31 - 1;

function plusOne(value: unknown): unknown {
  if (value instanceof Int32)
    return value.value < LARGEST_INT ? new Int32(value.value + 1) : Long.fromNumber(value.value + 1);
  if (value instanceof Long) return value.add(1);
  if (value instanceof Double) return new Double(value.value + 1);
  if (value instanceof Decimal128) return new Decimal128(String(BigInt(decimalText(value).split('.')[0] ?? '0') + 1n));
  return new Int32(1);
}
