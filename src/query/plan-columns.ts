import type { GroupPlan } from './group-plan.js';
import type { Condition, OrderTerm, ReadPlan } from './plan.js';
import type { ColumnSchema } from './schema.js';

/** The columns of the row that a condition speaks of, as often as it does; what it says of linked rows is about other rows. */
export function columnsIn(condition: Condition): readonly ColumnSchema[] {
  switch (condition.kind) {
    case 'true':
      return [];
    case 'and':
    case 'or':
      return condition.items.flatMap(columnsIn);
    case 'not':
      return columnsIn(condition.item);
    case 'compareColumns':
      return [condition.column, condition.other];
    case 'linked':
      return [condition.owner ?? condition.column];
    default:
      return [condition.column];
  }
}

const columnsOfOrder = (orderBy: readonly OrderTerm[]): readonly ColumnSchema[] =>
  orderBy.flatMap(({ by }) => (by.kind === 'column' ? by.column : []));

/** The columns that a page is made of, each once. */
export const columnsOfRead = ({
  select,
  where,
  orderBy,
}: Pick<ReadPlan, 'select' | 'where' | 'orderBy'>): ReadonlySet<ColumnSchema> =>
  new Set([...select, ...columnsIn(where), ...columnsOfOrder(orderBy)]);

/** The columns that groups are made of, each once. */
export const columnsOfGroups = ({
  where,
  groups,
  aggregates,
}: Pick<GroupPlan, 'where' | 'groups' | 'aggregates'>): ReadonlySet<ColumnSchema> =>
  new Set([...columnsIn(where), ...[...groups, ...aggregates].flatMap(({ column }) => column ?? [])]);

/** The same condition about other columns. */
export function conditionOn(condition: Condition, of: (column: ColumnSchema) => ColumnSchema): Condition {
  switch (condition.kind) {
    case 'true':
      return condition;
    case 'and':
    case 'or':
      return { ...condition, items: condition.items.map((item) => conditionOn(item, of)) };
    case 'not':
      return { ...condition, item: conditionOn(condition.item, of) };
    case 'compareColumns':
      return { ...condition, column: of(condition.column), other: of(condition.other) };
    case 'linked':
      return {
        ...{ ...condition, column: of(condition.column) },
        ...(condition.owner ? { owner: of(condition.owner) } : {}),
      };
    default:
      return { ...condition, column: of(condition.column) };
  }
}
