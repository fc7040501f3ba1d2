import { Binary, BSON, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { EXTENDED, plainDecimal, type CellValue, type ColumnTypeName, type MongoForm } from '../../../query/index.js';

/** A value of BSON as JSON text, as it is shown in a cell of a column of the type. Another type than the column's is shown as what it is. */
export function cellJson(value: unknown, type: ColumnTypeName): string {
  if (value === null || value === undefined) return 'null';
  if (isNumber(value)) return type === 'json' ? innerNumber(value) : number(value, type === 'integer');
  return innerJson(value);
}

/** The same in an answer of groups, where notation is an accident. */
export function groupJson(value: unknown, type: ColumnTypeName): string {
  return value instanceof Decimal128 ? JSON.stringify(trimmed(decimalText(value))) : cellJson(value, type);
}

type BsonNumber = Int32 | Long | Double | Decimal128;
const isNumber = (value: unknown): value is BsonNumber =>
  value instanceof Int32 || isLong(value) || value instanceof Double || value instanceof Decimal128;
/** A Timestamp is a Long to the driver, and no number. */
const isLong = (value: unknown): value is Long => value instanceof Long && !(value instanceof Timestamp);

function number(value: BsonNumber, isInteger: boolean): string {
  const plain = decimalText(value);
  const isSafe = /^-?\d{1,16}$/.test(plain) && Number.isSafeInteger(Number(plain));
  return isInteger && isSafe ? plain : JSON.stringify(plain);
}

/** Plain notation; of numbers too large or small for it, their own. */
export function decimalText(value: BsonNumber): string {
  const text = value.toString();
  return plainDecimal(text) ?? (/^-?0(\.0*)?E/i.test(text) ? '0' : text);
}

/** Trailing zeros are how a sum or an average was made, and not part of it. */
export const trimmed = (plain: string): string => (/^-?\d+\.\d+$/.test(plain) ? plain.replace(/\.?0+$/, '') : plain);

/** As a JSON number where that holds it exactly, else as text. */
function innerNumber(value: BsonNumber): string {
  const double = Number(value.toString());
  if (value instanceof Double)
    return Number.isFinite(double) ? String(Object.is(double, -0) ? 0 : double) : JSON.stringify(value.toString());
  const plain = decimalText(value);
  if (value instanceof Decimal128)
    return Number.isFinite(double) && trimmed(plain) === (plainDecimal(String(double)) ?? '')
      ? String(double)
      : JSON.stringify(plain);
  return Number.isSafeInteger(double) ? plain : JSON.stringify(plain);
}

/** Written piece by piece: names of members may be any, `__proto__` too. */
function innerJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (isNumber(value)) return innerNumber(value);
  if (Array.isArray(value)) return `[${value.map(innerJson).join(',')}]`;
  const scalar = scalarText(value);
  if (scalar !== undefined) return JSON.stringify(scalar);
  const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${innerJson(each)}`);
  return `{${members.join(',')}}`;
}

/** The text that stands for a value of a type that JSON has not; undefined for documents. */
function scalarText(value: unknown): string | undefined {
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Binary) return binaryText(value);
  if (value instanceof Timestamp) return `${value.t}:${value.i}`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  return undefined;
}

function binaryText(value: Binary): string {
  const bytes = Buffer.from(value.value());
  const hex = bytes.toString('hex');
  if (value.sub_type !== Binary.SUBTYPE_UUID || bytes.length !== 16) return `\\x${hex}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** What a position keeps of a value that rows are ordered by. */
export function positionValue(value: unknown, form: MongoForm): CellValue {
  if (value === null || value === undefined) return null;
  switch (form) {
    case 'string':
      if (typeof value === 'string' && !value.startsWith(EXTENDED)) return value;
      break;
    case 'objectId':
      if (value instanceof ObjectId) return value.toHexString();
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'date':
      if (value instanceof Date) return value.toISOString();
      break;
    case 'uuid':
      if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16)
        return binaryText(value);
      break;
    case 'int':
      if (value instanceof Int32) return value.value;
      if (isLong(value)) return decimalText(value);
      break;
    case 'long':
    case 'decimal':
    case 'number':
      if (isNumber(value) && !(value instanceof Double)) return decimalText(value);
      break;
    case 'double':
      if (value instanceof Double || value instanceof Int32) return decimalText(value);
      break;
    case 'binData':
    case 'json':
  }
  return `${EXTENDED}${BSON.EJSON.stringify({ v: value }, { relaxed: false })}`;
}
