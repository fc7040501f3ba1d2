import { columnsOf, expressionOf, type Expression } from '../../formula/expression.js';
import { remembered } from '../../remember.js';
import type { ColumnSchema } from '../../schema.js';
import { ident, toStatement } from '../../sql.js';
import { formulaSql } from './postgres.js';

/*
 * How long the SQL of formulas is, in characters, with that of the formulas that they read; found without ever putting it together, since it
 * grows exponentially where formulas read each other.
 */

/** Of one formula. */
const MAX_SIZE = 300_000;
/** Of all columns of a table, or of a view: one statement reads a whole row. */
export const MAX_TOGETHER = 500_000;

/** Whether nobody could run it. */
export const isTooLarge = (expression: Expression): boolean => sizeOf(expression) > MAX_SIZE;

/** Whether no statement could hold them all. */
export const areTooLarge = (columns: readonly ColumnSchema[]): boolean =>
  columns.reduce((sum, column) => sum + sizeOfCell(column), 0) > MAX_TOGETHER;

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
