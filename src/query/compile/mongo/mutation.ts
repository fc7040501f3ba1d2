import { Problem } from '../../../common/index.js';
import type { CellValue, Scalar } from '../../schema.js';
import type { Mutation, ObjectCell } from '../../source-plan.js';
import { all, Bound, fieldPath, literal, unsupported, type MongoDocument, type MongoExpression } from './document.js';
import { bound, documentCell, formOf, type MongoForm } from './forms.js';
import { doubleTest, exactNumber } from './numbers.js';

/** A change of one document. What is set is also given by itself, so that the document behind it can be told without a second look. */
export type MongoMutation = { readonly collection: string } & (
  | { readonly op: 'insert'; readonly set: readonly MongoSet[] }
  | { readonly op: 'update'; readonly filter: MongoDocument; readonly update: MongoDocument; readonly set: readonly MongoSet[]; readonly increment?: string }
  | { readonly op: 'delete'; readonly filter: MongoDocument }
); // prettier-ignore

export interface MongoSet {
  readonly path: string;
  readonly value: unknown;
}

export function compileMongoMutation(mutation: Mutation): MongoMutation {
  const collection = mutation.object.physical.table;
  switch (mutation.op) {
    case 'insert':
      return { collection, op: 'insert', set: sets(mutation.values.filter(({ value }) => value !== null)) };
    case 'delete':
      return { collection, op: 'delete', filter: filterOf(mutation.key, mutation.expected) };
    case 'update': {
      const set = sets(mutation.values);
      const increment = mutation.increment && fieldPath(mutation.increment.physical);
      const update = {
        ...(set.length > 0 ? { $set: Object.fromEntries(set.map(({ path, value }) => [path, value])) } : {}),
        ...(increment ? { $inc: { [increment]: new Bound('int', '1') } } : {}),
      };
      const filter = filterOf(mutation.key, mutation.expected);
      return { collection, op: 'update', filter, update, set, ...(increment ? { increment } : {}) };
    }
  }
}

/** The key in MongoDB's query language, which finds it by its index; the rest exactly. */
function filterOf(key: readonly ObjectCell[], expected: readonly ObjectCell[]): MongoDocument {
  const natively = key.map(({ column, value }) => ({
    [fieldPath(column.physical)]: { $eq: writable(formOf(column), value) },
  }));
  const exactly = [...key.map(keeps), ...expected.map(keeps)];
  return { $and: [...natively, { $expr: all(exactly) }] };
}

/** Whether the document holds the value. Null is what is not there, and not what is of another type: that would be lost. */
function keeps({ column, value }: ObjectCell): MongoExpression {
  const cell = documentCell(column);
  if (value === null) return { $lte: [cell.raw, null] };
  if (cell.form === 'json') throw unsupported('Documents and lists cannot be compared here.');
  return all([cell.present, { $eq: [cell.raw, literal(writable(cell.form, value))] }]);
}

function sets(cells: readonly ObjectCell[]): readonly MongoSet[] {
  const found = cells.map(({ column, value }) => ({
    path: fieldPath(column.physical),
    value: writable(formOf(column), value),
  }));
  const overlap = found.find(({ path }) => found.some((other) => other.path.startsWith(`${path}.`)));
  if (overlap) throw unsupported(`${overlap.path} cannot be written together with what is inside of it.`);
  return found;
}

/** The value as it is kept. What the column cannot hold exactly is refused, rather than changed. */
function writable(form: MongoForm, value: CellValue): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) throw unsupported('Lists of values cannot be written here.');
  const kept = stored(form, value as Scalar);
  if (kept === undefined)
    throw new Problem('constraint_violation', { detail: `The value cannot be kept as ${form} without a change.` });
  return kept;
}

function stored(form: MongoForm, value: Scalar): unknown {
  switch (form) {
    case 'int':
    case 'long': {
      const exact = exactNumber(String(value));
      return exact?.type === 'decimal' ? undefined : exact;
    }
    case 'double': {
      const test = doubleTest('eq', value);
      return typeof test === 'boolean' ? undefined : test.value;
    }
    case 'decimal': {
      const exact = exactNumber(String(value));
      return exact && new Bound('decimal', exact.text);
    }
    case 'number': {
      const exact = exactNumber(String(value));
      if (exact?.type !== 'decimal') return exact;
      const test = doubleTest('eq', value);
      return typeof test === 'boolean' ? exact : test.value;
    }
    case 'json':
      return jsonValue(String(value));
    default:
      return bound(form, value);
  }
}

/** @throws Problem `constraint_violation` for names that MongoDB does not keep as names of fields */
function jsonValue(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) => {
    if (name === '__proto__' || name.startsWith('$') || /[.\0]/.test(name))
      throw new Problem('constraint_violation', { detail: 'Names of fields cannot begin with $ or have dots.' });
    return value;
  }) as unknown;
}
