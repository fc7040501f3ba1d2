import { must, unreachable } from '../../../common/index.js';
import type { ObjectColumn } from '../../object-schema.js';
import type { CellValue, ColumnSchema, Scalar } from '../../schema.js';
import { all, Bound, fieldPath, literal, not, unsupported, type MongoExpression } from './document.js';
import { exactNumber } from './numbers.js';

/**
 * How the cells of a column are kept. `decimal` are whole numbers and Decimal128, `double` are doubles and 32-bit numbers, and
 * `number` is where doubles stand beside others, which are compared by what is shown of them.
 */
export const MONGO_FORMS = [
  'string', 'objectId', 'int', 'long', 'double', 'decimal', 'number', 'bool', 'date', 'uuid', 'binData', 'json',
] as const; // prettier-ignore
export type MongoForm = (typeof MONGO_FORMS)[number];

/** The BSON types, by MongoDB's names, of the cells that a form speaks of; all others are null to conditions and order. */
export const FORM_TYPES: Readonly<Record<Exclude<MongoForm, 'json'>, readonly string[]>> = {
  string: ['string'],
  objectId: ['objectId'],
  int: ['int', 'long'],
  long: ['int', 'long'],
  double: ['double', 'int'],
  decimal: ['decimal', 'int', 'long'],
  number: ['double', 'decimal', 'int', 'long'],
  bool: ['bool'],
  date: ['date'],
  uuid: ['binData'],
  binData: ['binData'],
};

/** A cell in expressions. */
export interface MongoCell {
  readonly form: MongoForm;
  /** What stands there, of whatever type; missing where nothing does. */
  readonly raw: MongoExpression;
  /** Whether it is of the column's types. */
  readonly present: MongoExpression;
  /** The cell where it is, or else null. */
  readonly value: MongoExpression;
}

/** What a column is in the documents of a pipeline. */
export type CellOf = (column: ColumnSchema) => MongoCell;

export function formOf(column: ColumnSchema): MongoForm {
  const { form } = column as ObjectColumn;
  return must(
    MONGO_FORMS.find((each) => each === form),
    'a column of a collection has a form of MongoDB',
  );
}

/** A cell of a document, below a prefix where documents of several collections stand side by side. */
export function documentCell(column: ColumnSchema, prefix = ''): MongoCell {
  const form = formOf(column);
  const raw = `$${prefix}${fieldPath(column.physical)}`;
  if (form === 'json') return { form, raw, present: { $gt: [raw, null] }, value: { $ifNull: [raw, null] } };
  const types = FORM_TYPES[form];
  const type = { $type: raw };
  const present = types.length === 1 ? { $eq: [type, types[0]] } : { $in: [type, types] };
  return { form, raw, present, value: { $cond: [present, raw, null] } };
}

/** A cell that the pipeline itself made, under a name of ours: of its type or null. */
export const madeCell = (name: string, form: MongoForm): MongoCell => ({
  form,
  raw: `$${name}`,
  present: { $gt: [`$${name}`, null] },
  value: `$${name}`,
});

/** A canonical value as cells of the form hold it; undefined where none of them can. Not for numbers in conditions, see `exactTest`. */
export function bound(form: MongoForm, value: Scalar): unknown {
  if (value === null) return null;
  switch (form) {
    case 'string':
    case 'bool':
      return value;
    case 'objectId':
      return /^[0-9a-f]{24}$/.test(String(value)) ? new Bound('objectId', String(value)) : undefined;
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(value))
        ? new Bound('uuid', String(value))
        : undefined;
    case 'binData':
      return /^\\x([0-9a-f]{2})*$/.test(String(value)) ? new Bound('binData', String(value).slice(2)) : undefined;
    case 'date':
      return new Bound('date', String(value));
    case 'double':
      return new Bound('double', String(value));
    case 'int':
    case 'long':
    case 'decimal':
    case 'number':
      return exactNumber(String(value)) ?? new Bound('decimal', String(value));
    case 'json':
      return undefined;
    default:
      return unreachable(form);
  }
}

/** Of rows at an edge, where a value that is not of its column's type comes back in Extended JSON. */
export const EXTENDED = 'ejson:';

/** What a position keeps of a row, as it is bound again. */
export function boundPosition(form: MongoForm, value: CellValue): unknown {
  if (Array.isArray(value)) throw unsupported('Lists have no order here.');
  if (typeof value === 'string' && value.startsWith(EXTENDED)) return new Bound('ejson', value.slice(EXTENDED.length));
  if (value === null) return null;
  return must(bound(form, value as Scalar), 'a position is of what the column holds');
}

/** The cell as a number without rounding, null where it is none. */
export function exactCell(cell: MongoCell): MongoExpression {
  if (cell.form === 'int' || cell.form === 'long' || cell.form === 'decimal') return cell.value;
  return { $cond: [cell.present, exactDecimal(cell.raw), null] };
}

/** The same as a Decimal128, so that sums do not become doubles. */
export function decimalCell(cell: MongoCell): MongoExpression {
  if (cell.form === 'double' || cell.form === 'number') return exactCell(cell);
  return { $toDecimal: cell.value };
}

/**
 * A number as the decimal that is shown of it. MongoDB makes decimals of doubles with 15 digits, and a double may need 17: then
 * the double is taken apart, and rounded to 16 digits, or to 17 where these are another double.
 */
function exactDecimal(raw: MongoExpression): MongoExpression {
  const places = { $toInt: { $subtract: [15, { $floor: { $log10: { $abs: '$$f' } } }] } };
  const shortest = {
    $cond: [{ $eq: [double('$$r'), '$$d'] }, '$$r', { $round: ['$$f', { $add: ['$$p', 1] }] }],
  };
  const longer = bind('p', { $max: [-20, { $min: [98, places] }] }, bind('r', { $round: ['$$f', '$$p'] }, shortest));
  const rounded = bind(
    's',
    { $toDecimal: '$$d' },
    { $cond: [{ $eq: [double('$$s'), '$$d'] }, '$$s', { $ifNull: [bind('f', allDigits('$$d'), longer), '$$s'] }] },
  );
  return { $cond: [{ $eq: [{ $type: raw }, 'double'] }, bind('d', raw, rounded), { $toDecimal: raw }] };
}

/** A double as a whole number times a power of two, which decimals can multiply without losing what matters. */
function allDigits(double: MongoExpression): MongoExpression {
  const exponent = { $max: [-1020, { $subtract: [{ $floor: { $log: [{ $abs: double }, 2] } }, 53] }] };
  const power = (two: Bound): MongoExpression => ({ $pow: [literal(two), '$$e'] });
  const whole = { $divide: [double, power(new Bound('double', '2'))] };
  const exact = { $toDecimal: { $convert: { input: whole, to: 'long', onError: null } } };
  return bind('e', exponent, { $multiply: [exact, power(new Bound('decimal', '2'))] });
}

/** Null beyond what doubles can be. */
const double = (decimal: MongoExpression): MongoExpression => ({
  $convert: { input: decimal, to: 'double', onError: null },
});

const bind = (name: string, value: MongoExpression, within: MongoExpression): MongoExpression => ({
  $let: { vars: { [name]: value }, in: within },
});

/** The cell as text, for columns of text that are kept as something else. */
export function textCell(cell: MongoCell): MongoExpression {
  switch (cell.form) {
    case 'string':
      return cell.value;
    case 'objectId':
      return { $toString: cell.value };
    default:
      throw unsupported('Binary values can only be compared for being equal.');
  }
}

/** Whether two cells of the same family can be compared as they are kept, and else as what. */
export function comparable(a: MongoCell, b: MongoCell): readonly [MongoExpression, MongoExpression] {
  const exact = (cell: MongoCell): boolean => ['int', 'long', 'decimal'].includes(cell.form);
  const numeric = (cell: MongoCell): boolean => exact(cell) || cell.form === 'double' || cell.form === 'number';
  if (numeric(a) && numeric(b) && !(exact(a) && exact(b)) && !(a.form === 'double' && b.form === 'double'))
    return [exactCell(a), exactCell(b)];
  if (a.form === b.form || (numeric(a) && numeric(b))) return [a.value, b.value];
  return [textCell(a), textCell(b)];
}

/** What rows are ordered by: null where the cell is not of the column's types. */
export function orderValue(cell: MongoCell): MongoExpression {
  if (cell.form === 'binData') throw unsupported('Rows cannot be sorted by binary values here.');
  return cell.form === 'number' ? exactCell(cell) : cell.value;
}

export const isNull = (cell: MongoCell): MongoExpression => not(cell.present);

/** For conditions on a cell that hold only where it is present. */
export const whenPresent = (cell: MongoCell, condition: MongoExpression): MongoExpression =>
  all([cell.present, condition]);
