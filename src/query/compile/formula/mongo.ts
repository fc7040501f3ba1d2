import type { CallPart, ColumnPart, Expression } from '../../formula/expression.js';
import type { MongoCompiled } from '../../formula/function.js';
import { MAX_SCALE } from '../../formula/decimal.js';
import { isForeign, isUnbounded } from '../../formula/shape.js';
import { all, any, Bound, literal, type MongoExpression } from '../mongo/document.js';
import { exactCell, textCell, type CellOf, type MongoCell, type MongoForm } from '../mongo/forms.js';
import { exactNumber } from '../mongo/numbers.js';
import { asLong, choose, FIRST_INSTANT, isNothing, LAST_INSTANT, rounded, withinLimit } from './mongo-fragments.js';

/** A function that has no exact form in MongoDB, or a formula that would take too much of it. */
class NoForm extends Error {}

/** Parts of a pipeline that one formula may be, each as often as it stands there. */
const MAX_PARTS = 5_000;

/**
 * The value of a formula in MongoDB, null where it is an error, and never an error of the pipeline. A Decimal128 has 34 digits and
 * numbers of formulas have more, so only those have a form whose operands are known to be small enough.
 * @returns undefined where it would not be exactly what all others give
 */
export function mongoFormula(expression: Expression, cells: CellOf): MongoCell | undefined {
  try {
    const { value } = compiled(expression, cells);
    const form = formOf(expression);
    const made = form === 'int' ? asLong(value) : form === 'decimal' ? { $add: [value, literal(new Bound('decimal', '0'))] } : value; // prettier-ignore
    if (partsOf(made, new Map()) > MAX_PARTS) throw new NoForm();
    return { form, raw: made, present: { $gt: [made, null] }, value: made };
  } catch (error) {
    if (error instanceof NoForm) return undefined;
    throw error;
  }
}

function formOf({ kind, shape }: Expression): MongoForm {
  if (shape.list) throw new NoForm();
  switch (shape.of) {
    case 'number':
      return kind.type === 'integer' ? 'int' : 'decimal';
    case 'text':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'datetime':
      return 'date';
    default:
      // MongoDB has no dates without a time.
      throw new NoForm();
  }
}

/** How many there are, found without walking through what is used several times more than once. */
function partsOf(of: unknown, known: Map<object, number>): number {
  if (typeof of !== 'object' || of === null) return 1;
  let size = known.get(of);
  if (size === undefined) {
    size = Object.values(of).reduce<number>((sum, each) => sum + partsOf(each, known), 1);
    known.set(of, size);
  }
  return size;
}

function compiled(part: Expression, cells: CellOf): MongoCompiled {
  switch (part.node) {
    case 'literal': {
      const { value, shape } = part;
      if (shape.of !== 'number') {
        if (shape.of === 'date' || shape.of === 'datetime') throw new NoForm();
        return { part, value: literal(value), fails: () => undefined };
      }
      const exact = exactNumber(String(value));
      if (!exact) throw new NoForm();
      return { part, value: literal(exact), fails: () => undefined };
    }
    case 'column': {
      const cell = cells(part.column);
      const value = columnValue(part, cell);
      return {
        part,
        value,
        fails: () => (part.shape.fails ? all([{ $gt: [cell.raw, null] }, isNothing(value)]) : undefined),
      };
    }
    case 'call':
      return called(part, part.args.map((arg) => compiled(arg, cells))); // prettier-ignore
  }
}

/** A cell, cut to what formulas can hold: null where it is beyond. */
function columnValue({ column, shape }: ColumnPart, cell: MongoCell): MongoExpression {
  if (shape.list || cell.form === 'json' || cell.form === 'binData' || cell.form === 'uuid') throw new NoForm();
  switch (shape.of) {
    case 'number': {
      const exact = exactCell(cell);
      if (!isUnbounded(column)) return exact;
      return isForeign(column) ? withinLimit(exact) : rounded(exact, MAX_SCALE);
    }
    case 'text':
      return textCell(cell);
    case 'boolean':
      return cell.value;
    case 'datetime': {
      const isWithin = all([{ $gte: [cell.value, FIRST_INSTANT] }, { $lte: [cell.value, LAST_INSTANT] }]);
      return choose(isWithin, cell.value, null);
    }
    default:
      throw new NoForm();
  }
}

function called(call: CallPart, args: readonly MongoCompiled[]): MongoCompiled {
  const { overload, shape } = call;
  if ([call, ...call.args].some((part) => part.shape.list || part.shape.of === 'date')) throw new NoForm();
  if (overload.lazy) {
    const { value, fails } = overload.lazy.mongo(args);
    return { part: call, value, fails: () => (shape.fails ? fails() : undefined) };
  }
  const body = overload.mongo?.(args.map(({ value }) => value), call); // prettier-ignore
  if (body === undefined) throw new NoForm();
  return overload.aware ? aware(call, args, body) : strict(call, args, body);
}

/** Null in an argument gives null; where none is null and the result is, there is an error. */
function strict(call: CallPart, args: readonly MongoCompiled[], body: MongoExpression): MongoCompiled {
  const empty = args.flatMap(({ part, value }) => (part.shape.nullable || part.shape.fails ? [isNothing(value)] : []));
  const value = empty.length === 0 ? body : choose(any(empty), null, body);
  return {
    part: call,
    value,
    fails: () => {
      const inner = anyFails(args);
      if (!call.fallible) return inner;
      const own = all([...empty.map((each) => ({ $not: [each] })), isNothing(body)]);
      return inner === undefined ? own : any([inner, own]);
    },
  };
}

/** It would hide an error of an argument behind what it makes of nulls. */
function aware(call: CallPart, args: readonly MongoCompiled[], body: MongoExpression): MongoCompiled {
  const inner = anyFails(args);
  const value = inner === undefined ? body : choose(inner, null, body);
  return { part: call, value, fails: () => (call.fallible ? isNothing(value) : inner) };
}

function anyFails(args: readonly MongoCompiled[]): MongoExpression {
  const conditions = args.flatMap(({ fails }) => fails() ?? []);
  return conditions.length === 0 ? undefined : any(conditions);
}
