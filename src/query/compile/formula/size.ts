import { columnsOf, expressionOf, type Expression } from '../../formula/expression.js';
import { stepsOf } from '../../formula/steps.js';
import { remembered } from '../../remember.js';
import type { ColumnSchema } from '../../schema.js';
import { ident, toStatement } from '../../sql.js';
import { formulaSql } from './postgres.js';

/*
 * How long the SQL of formulas is, in characters, with that of the formulas that they read; found without ever putting it together, since it
 * grows exponentially where formulas read each other.
 */

/** How much formulas may be. */
export interface FormulaBounds {
  /** Steps of one, as {@link stepsOf} counts them. */
  readonly steps: number;
  /** Characters of one. */
  readonly size: number;
  /** Characters of all columns of a table, or of a view: one statement reads a whole row. */
  readonly together: number;
}

/** Of what somebody makes or changes. */
export const NEW_FORMULAS: FormulaBounds = { steps: 5_000, size: 600_000, together: 1_000_000 };

/**
 * Of what was made within those bounds, maybe by another version of the product, whose SQL was shorter: what is stored must not be refused for what
 * became of the product since.
 */
export const STORED_FORMULAS: FormulaBounds = { steps: 10_000, size: 1_200_000, together: 2_000_000 };

/** Whether nobody could run it. Steps come first: without a bound of these there would be no end of the characters. */
export const isTooLarge = (expression: Expression, { steps, size }: FormulaBounds): boolean =>
  stepsOf(expression) > steps || sizeOf(expression) > size;

/** Whether a formula became more than it was. */
export const hasGrown = (now: Expression, before: Expression): boolean =>
  stepsOf(now) > stepsOf(before) || sizeOf(now) > sizeOf(before);

/** Whether no statement could hold them all. */
export const areTooLarge = (columns: readonly ColumnSchema[], { together }: FormulaBounds): boolean =>
  sizeOfAll(columns) > together;

export const sizeOfAll = (columns: readonly ColumnSchema[]): number =>
  columns.reduce((sum, column) => sum + sizeOfCell(column), 0);

export const sizeOf = remembered((expression: Expression): number => {
  const columns = columnsOf(expression);
  const names = new Map(columns.map((column, i) => [column, `#${i}#`]));
  const { text } = toStatement(formulaSql(expression, (column) => ident(names.get(column) ?? '?')));
  const read = columns.map((column, i) => (text.split(`#${i}#`).length - 1) * sizeOfCell(column));
  return read.reduce((sum, each) => sum + each, text.length);
});

/** A name and what is around it. */
const STORED = 20;
/** The subquery of a lookup. */
const THROUGH = 300;

export const sizeOfCell = remembered(({ derived, size }: ColumnSchema): number => {
  if (size !== undefined) return size;
  switch (derived?.kind) {
    case 'formula':
      return sizeOf(expressionOf(derived.expression));
    case 'lookup':
    case 'rollup':
      return THROUGH + sizeOfCell(derived.column);
    case 'link':
    case 'count':
      return THROUGH;
    default:
      return STORED;
  }
});
