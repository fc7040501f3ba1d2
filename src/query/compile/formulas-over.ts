import { expressionOf, isVolatile } from '../formula/expression.js';
import { isStamp } from '../kind.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { ownSourcesOf } from './cell.js';

/**
 * Formulas that these columns change, and that the row alone decides: whoever follows the log is told what becomes of them, too. Those that
 * read linked rows, or the clock, change without any write of the row.
 */
export const formulasOver = (table: TableSchema, columns: readonly ColumnSchema[]): readonly ColumnSchema[] =>
  table.columns.filter((column) => {
    if (column.derived?.kind !== 'formula') return false;
    const sources = ownSourcesOf(column);
    return sources.every(isOfRowAlone) && sources.some((each) => columns.includes(each) || isStamp(each));
  });

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
