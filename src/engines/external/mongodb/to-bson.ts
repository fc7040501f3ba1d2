import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, UUID, type Document } from 'mongodb';
import { Bound, type MongoDocument } from '../../../query/index.js';

/** What was compiled as the driver sends it: values of BSON types in the place of ours. */
export const toBson = (of: MongoDocument): Document => value(of) as Document;
export const toBsonList = (of: readonly MongoDocument[]): Document[] => of.map(toBson);

export function value(of: unknown): unknown {
  if (of instanceof Bound) return bound(of);
  if (Array.isArray(of)) return of.map(value);
  if (typeof of !== 'object' || of === null) return of;
  return Object.fromEntries(Object.entries(of).map(([name, each]) => [name, value(each)]));
}

function bound({ type, text }: Bound): unknown {
  switch (type) {
    case 'int':
      return new Int32(Number(text));
    case 'long':
      return Long.fromString(text);
    case 'double':
      return new Double(Number(text));
    case 'decimal':
      return Decimal128.fromString(text);
    case 'date':
      return new Date(text);
    case 'objectId':
      return ObjectId.createFromHexString(text);
    case 'uuid':
      return new UUID(text);
    case 'binData':
      return new Binary(Buffer.from(text, 'hex'));
    case 'ejson':
      return (BSON.EJSON.parse(text, { relaxed: false }) as { readonly v: unknown }).v;
  }
}
