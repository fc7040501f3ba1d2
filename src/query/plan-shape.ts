import type { GroupPlan } from './group-plan.js';
import type { Condition, OrderTerm, ReadPlan } from './plan.js';

/** A longer one is cut: what makes a read slow is seldom its hundredth condition. */
const MAX_LENGTH = 1_000;

/**
 * What a read asks for, without any of its values: columns by key and operators, as `crm_k3f9a2.deals where and(amount.gte,status.oneOf) sort -amount,-id`.
 * Two reads of one shape are one statement with other values. Pure.
 */
export function planShape(plan: ReadPlan | GroupPlan): string {
  const { from, where, orderBy, after, count } = plan;
  const parts = [
    `${from.physical.schema}.${from.physical.table}`,
    ...('groups' in plan ? [`groups=${plan.groups.length} aggregates=${plan.aggregates.length}`] : readParts(plan)),
    ...(where.kind === 'true' ? [] : [`where ${conditionShape(where)}`]),
    ...('having' in plan && plan.having.kind !== 'true' ? [`having ${conditionShape(plan.having)}`] : []),
    `sort ${orderBy.map(termShape).join(',')}`,
    ...(after ? ['paged'] : []),
    ...(count === 'none' ? [] : [`count=${count}`]),
  ];
  const shape = parts.join(' ');
  return shape.length > MAX_LENGTH ? `${shape.slice(0, MAX_LENGTH)}…` : shape;
}

const readParts = ({ select, expand, trashed, asOf }: ReadPlan): readonly string[] => [
  `columns=${select.length}`,
  ...(expand && expand.length > 0 ? [`expand=${expand.length}`] : []),
  ...(trashed ? ['trashed'] : []),
  ...(asOf === undefined ? [] : ['asOf']),
];

const termShape = ({ by, dir }: OrderTerm): string =>
  `${dir === 'desc' ? '-' : ''}${by.kind === 'column' ? by.column.key : 'id'}`;

function conditionShape(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `${condition.kind}(${condition.items.map(conditionShape).join(',')})`;
    case 'not':
      return `not(${conditionShape(condition.item)})`;
    case 'compare':
      return `${condition.column.key}.${condition.op}`;
    case 'match':
      return `${condition.column.key}.${condition.mode}`;
    case 'linked':
      return `${condition.column.key}.${condition.quantifier}(${conditionShape(condition.where)})`;
    default:
      return 'column' in condition ? `${condition.column.key}.${condition.kind}` : condition.kind;
  }
}
