import { remembered } from '../remember.js';
import type { Expression } from './expression.js';

/*
 * How much SQL a formula is. One that reads another contains it, and where errors are looked at, what can be one is said twice: without a
 * bound a few short formulas would make a statement that nobody could run. Steps are counted before there is any SQL.
 */

/** Steps that a formula takes by itself: parts that stand for something. */
export const stepsOf = (expression: Expression): number => both(expression).value;

interface Steps {
  readonly value: number;
  readonly fails: number;
}

/** Steps of the value, and of telling whether it is an error. */
const both = remembered((part: Expression): Steps => {
  if (part.node !== 'call') return { value: 1, fails: part.shape.fails ? 1 : 0 };
  const each = part.args.map(both);
  const [value, fails] = [each.reduce((sum, arg) => sum + arg.value, 1), each.reduce((sum, arg) => sum + arg.fails, 0)];
  const lazy = part.overload.lazy !== undefined;
  const aware = !part.overload.lazy && part.overload.aware === true;
  const whole = value + (lazy || aware ? fails : 0);
  const told = lazy ? fails + value : aware && part.fallible ? whole : fails + (part.fallible ? value + whole : 0);
  return { value: whole, fails: part.shape.fails ? told : 0 };
});
