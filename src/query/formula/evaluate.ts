import type { CellValue, ColumnSchema, Scalar } from '../schema.js';
import { instantText, timeOf } from './calendar.js';
import { decimalOf, LIMIT, magnitude, MAX_SCALE, rounded, tens, type Decimal } from './decimal.js';
import type { CallPart, Expression } from './expression.js';
import { FAILED, type Moment, type Outcome, type Value } from './function.js';
import { literalValue } from './literal.js';
import type { Shape } from './shape.js';
import { numeral } from './text-of.js';

/** The value of a formula for a row in memory: the same that every database gives. Null where it is an error. */
export function evaluateFormula(
  expression: Expression,
  cell: (column: ColumnSchema) => CellValue,
  clock: { readonly now: Date },
): CellValue {
  const outcome = outcomeOf(expression, cell, clock);
  if (outcome === FAILED || outcome === null) return null;
  const { shape, kind } = expression;
  const canonical = (value: Value): Scalar => {
    if (typeof value !== 'object' || value === null) return value;
    const text = numeral(value as Decimal, shape);
    return kind.type === 'integer' ? Number(text) : text;
  };
  if (!Array.isArray(outcome)) return canonical(outcome);
  const list = outcome as readonly Value[];
  return list.length === 0 ? null : list.map(canonical);
}

function outcomeOf(part: Expression, cell: (column: ColumnSchema) => CellValue, moment: Moment): Outcome {
  switch (part.node) {
    case 'literal':
      return literalValue(part);
    case 'column':
      return entered(cell(part.column), part.shape);
    case 'call':
      return called(part, (arg) => outcomeOf(arg, cell, moment), moment);
  }
}

function called(call: CallPart, compute: (arg: Expression) => Outcome, moment: Moment): Outcome {
  const { overload, args, shape } = call;
  if (overload.lazy) return settled(overload.lazy.compute(args.map((arg) => () => compute(arg)), call), shape); // prettier-ignore
  const values: Value[] = [];
  let isNull = false;
  for (const arg of args) {
    const value = compute(arg);
    if (value === FAILED) return FAILED;
    isNull ||= value === null;
    values.push(value);
  }
  return isNull && !overload.aware ? null : settled(overload.compute(values, call, moment), shape);
}

/** A number that an operation made, cut to what numbers of formulas can be. */
function settled(outcome: Outcome, { of, list }: Shape): Outcome {
  if (of !== 'number' || list || outcome === FAILED || outcome === null) return outcome;
  return withinLimit(rounded(outcome as Decimal, MAX_SCALE));
}

const withinLimit = (n: Decimal): Outcome => (magnitude(n.digits) < LIMIT * tens(n.scale) ? n : FAILED);

/** A cell as a value; what formulas cannot hold is an error, nothing in our own tables, and left out among the elements of a list. */
function entered(cell: CellValue, shape: Shape): Outcome {
  if (cell === null) return null;
  if (!Array.isArray(cell)) return enteredOne(cell as Scalar, shape);
  // Documents may hold a list where all others hold one value.
  if (!shape.list) return FAILED;
  const elements = (cell as readonly Scalar[])
    .map((element) => enteredOne(element, shape))
    .filter((element): element is Value => element !== FAILED && element !== null);
  return elements.length === 0 ? null : elements;
}

function enteredOne(cell: Scalar, { of, fails }: Shape): Outcome {
  if (cell === null) return null;
  const beyond = fails ? FAILED : null;
  switch (of) {
    case 'number': {
      const number = decimalOf(String(cell));
      return number ? withinLimit(rounded(number, MAX_SCALE)) : beyond;
    }
    case 'datetime': {
      const time = timeOf(String(cell));
      return Number.isNaN(time) ? beyond : (instantText(time) ?? beyond);
    }
    case 'date':
      return /^(?!0000)\d{4}-\d\d-\d\d$/.test(String(cell)) ? String(cell) : beyond;
    case 'boolean':
      return cell === true;
    case 'text':
    case 'opaque':
    case 'null':
      return String(cell);
  }
}
