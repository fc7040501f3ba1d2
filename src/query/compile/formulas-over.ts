import { expressionOf, isVolatile } from '../formula/expression.js';
import { isStamp } from '../kind.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { ownSourcesOf } from './cell.js';
import { sizeOfCell } from './formula/size.js';

/** Characters of SQL. */
const MOST_TOLD = 50_000;

/**
 * Formulas that these columns change, and that the row alone decides: whoever follows the log is told what becomes of them, too. Those that
 * read linked rows, or the clock, change without any write of the row. Where they come to much, nothing is told of them: they would be computed several
 * times for it.
 */
export function formulasOver(table: TableSchema, columns: readonly ColumnSchema[]): readonly ColumnSchema[] {
  const told = table.columns.filter((column) => {
    if (column.derived?.kind !== 'formula') return false;
    const sources = ownSourcesOf(column);
    return sources.every(isOfRowAlone) && sources.some((each) => columns.includes(each) || isStamp(each));
  });
  return told.reduce((sum, column) => sum + sizeOfCell(column), 0) > MOST_TOLD ? [] : told;
}

function isOfRowAlone({ derived }: ColumnSchema): boolean {
  switch (derived?.kind) {
    case undefined:
    case 'system':
      return true;
    case 'formula':
      return !isVolatile(expressionOf(derived.expression));
    default:
      return false;
  }
}
