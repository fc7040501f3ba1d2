import type { FilterInput } from '../filter/filter-input.js';
import { columnsOf, expressionOf, isVolatile, type Expression } from '../formula/index.js';
import type { ColumnSchema } from '../schema.js';
import { isTimeBound } from './view-scope.js';
import { isViewColumn, type ViewTable } from './view-table.js';

/** Whether cells of the column change while nothing is written: a formula somewhere behind it asks for the time. */
export function changesByTime(column: ColumnSchema): boolean {
  const { derived } = column;
  if (derived?.kind === 'lookup' || derived?.kind === 'rollup') return changesByTime(derived.column);
  if (derived?.kind === 'formula') return asksForTime(expressionOf(derived.expression));
  if (!isViewColumn(column)) return false;
  if (column.of.kind === 'cell') return changesByTime(column.of.column);
  return column.of.kind === 'formula' && asksForTime(column.of.expression);
}

const asksForTime = (expression: Expression): boolean =>
  isVolatile(expression) || columnsOf(expression).some(changesByTime);

interface Timed {
  readonly table: ViewTable;
  readonly filter?: FilterInput;
  readonly having?: FilterInput;
}

/** Whether answers of the view change while nothing is written. Rather yes than no. */
export const viewChangesByTime = ({ table, filter, having }: Timed): boolean =>
  table.columns.some(changesByTime) ||
  table.linked?.isTimeBound === true ||
  [filter, having].some((each) => each !== undefined && isTimeBound(each));
