import { remembered } from '../remember.js';
import type { ColumnSchema } from '../schema.js';
import { expressionOf, type Expression } from './expression.js';

/*
 * How long the SQL of a formula is, in parts that stand for something: a formula that reads another one contains it, and where errors are
 * looked at, what can be one is said twice. Without a bound a few short formulas would make a statement that nobody could run.
 */

/** Steps that the columns of one table, or of one view, may take together. */
export const MAX_STEPS_TOGETHER = 20_000;

/** Whether a statement could not hold them all. */
export const areTooComplex = (columns: readonly ColumnSchema[]): boolean =>
  columns.reduce((sum, column) => sum + stepsOfCell(column), 0) > MAX_STEPS_TOGETHER;

/** Steps that a formula takes, with those of formulas that it reads. */
export const stepsOf = (expression: Expression): number => both(expression).value;

/** What a cell is takes steps where it is computed: that of a formula all of that formula. */
export const stepsOfCell = remembered(({ derived, steps }: ColumnSchema): number => {
  if (steps !== undefined) return steps;
  switch (derived?.kind) {
    case 'formula':
      return stepsOf(expressionOf(derived.expression));
    case 'lookup':
    case 'rollup':
      return 1 + stepsOfCell(derived.column);
    default:
      return 1;
  }
});

interface Steps {
  readonly value: number;
  readonly fails: number;
}

/** Steps of the value, and of telling whether it is an error. */
const both = remembered((part: Expression): Steps => {
  if (part.node === 'column') {
    const value = stepsOfCell(part.column);
    return { value, fails: part.shape.fails ? value : 0 };
  }
  if (part.node === 'literal') return { value: 1, fails: 0 };
  const each = part.args.map(both);
  const [value, fails] = [each.reduce((sum, arg) => sum + arg.value, 1), each.reduce((sum, arg) => sum + arg.fails, 0)];
  const lazy = part.overload.lazy !== undefined;
  const aware = !part.overload.lazy && part.overload.aware === true;
  const whole = value + (lazy || aware ? fails : 0);
  const told = lazy ? fails + value : aware && part.fallible ? whole : fails + (part.fallible ? value + whole : 0);
  return { value: whole, fails: part.shape.fails ? told : 0 };
});
