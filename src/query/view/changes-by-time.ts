import { columnsOf, expressionOf, isVolatile, type Expression } from '../formula/index.js';
import type { GroupPlan } from '../group-plan.js';
import type { OrderTerm, ReadPlan } from '../plan.js';
import type { ColumnSchema } from '../schema.js';
import { isViewColumn } from './view-table.js';

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

/** What a list that is in this order takes for now: `at`, where its order asks for it. */
export const clockOf = (orderBy: readonly OrderTerm[], at: Date): Pick<ReadPlan, 'clock'> =>
  clockBy(
    orderBy.map(({ by }) => (by.kind === 'column' ? by.column : undefined)),
    at,
  );

/** The same of groups, whose order may go by anything that they are made of. */
export const clockOfGroups = (
  { groups, aggregates }: Pick<GroupPlan, 'groups' | 'aggregates'>,
  at: Date,
): Pick<GroupPlan, 'clock'> =>
  clockBy(
    [...groups, ...aggregates].map(({ column }) => column),
    at,
  );

const clockBy = (columns: readonly (ColumnSchema | undefined)[], at: Date): { readonly clock?: Date } =>
  columns.some((column) => column && changesByTime(column)) ? { clock: at } : {};
