import type { GroupPlan } from './group-plan.js';
import type { ViewGroups, ViewRead } from './compile/view/view-read.js';
import type { Condition, OrderTerm, ReadPlan } from './plan.js';
import type { ColumnSchema, TableSchema } from './schema.js';
import type { SourceGroups, SourceRead } from './source-plan.js';

/** A longer one is cut: what makes a read slow is seldom its hundredth condition. */
const MAX_LENGTH = 1_000;

type AnyPlan = ReadPlan | GroupPlan | SourceRead | SourceGroups | ViewRead | ViewGroups;

const cut = (shape: string): string => (shape.length > MAX_LENGTH ? `${shape.slice(0, MAX_LENGTH)}…` : shape);

/**
 * What a read asks for, without any of its values: columns by key and operators, as `crm_k3f9a2.deals where and(amount.gte,status.oneOf) sort -amount,-id`.
 * Two reads of one shape are one statement with other values. Pure.
 */
export function planShape(plan: AnyPlan): string {
  const { from, where, orderBy, after, count } = plan;
  const parts = [
    sourceShape(from),
    ...('groups' in plan ? [`groups=${plan.groups.length} aggregates=${plan.aggregates.length}`] : readParts(plan)),
    ...(where.kind === 'true' ? [] : [`where ${conditionShape(where)}`]),
    ...('having' in plan && plan.having.kind !== 'true' ? [`having ${conditionShape(plan.having)}`] : []),
    `sort ${orderBy.map(termShape).join(',')}`,
    ...(after ? ['paged'] : []),
    ...(count === 'none' ? [] : [`count=${count}`]),
  ];
  return cut(parts.join(' '));
}

const readParts = (plan: ReadPlan | SourceRead | ViewRead): readonly string[] => [
  `columns=${plan.select.length}`,
  ...('expand' in plan && plan.expand && plan.expand.length > 0 ? [`expand=${plan.expand.length}`] : []),
  ...('trashed' in plan && plan.trashed ? ['trashed'] : []),
  ...('asOf' in plan && plan.asOf !== undefined ? ['asOf'] : []),
];

/** A table, or all that are joined, each as its database calls it. */
function sourceShape(from: AnyPlan['from']): string {
  if ('places' in from)
    return from.places
      .map(({ source }) => nameOf(source.kind === 'table' ? source.table : source.object))
      .join(' join ');
  if ('joins' in from) return [from.object, ...from.joins.map(({ object }) => object)].map(nameOf).join(' join ');
  return nameOf(from);
}

const nameOf = ({ physical: { schema, table } }: Pick<TableSchema, 'physical'>): string =>
  schema === '' ? table : `${schema}.${table}`;

/** One row of a table by its id. */
export const rowShape = (table: Pick<TableSchema, 'physical'>): string => `${nameOf(table)} row`;

/**
 * What a write asks for, without any of its values, as `crm_k3f9a2.deals create=2 update=1 set amount,status`. Keys of columns are those of all ops. Pure.
 */
export function writeShape(table: Pick<TableSchema, 'physical'>, ops: readonly ShownOp[]): string {
  const count = new Map<string, number>();
  const keys = new Set<string>();
  for (const { kind, values } of ops) {
    count.set(kind, (count.get(kind) ?? 0) + 1);
    for (const { key } of values?.keys() ?? []) keys.add(key);
  }
  const set = keys.size > 0 ? [`set ${[...keys].join(',')}`] : [];
  return cut([nameOf(table), ...[...count].map(([kind, n]) => `${kind}=${n}`), ...set].join(' '));
}

/** An import of rows by what it was asked to do, as `crm_k3f9a2.deals import mode=upsert matchOn=email onError=skip`. */
export function importShape(table: Pick<TableSchema, 'physical'>, wish: Readonly<Record<string, string>>): string {
  return cut([nameOf(table), 'import', ...Object.entries(wish).map(([name, asked]) => `${name}=${asked}`)].join(' '));
}

/** An op as far as it is told: what it does, and which columns it writes. */
export interface ShownOp {
  readonly kind: string;
  readonly values?: ReadonlyMap<Pick<ColumnSchema, 'key'>, unknown>;
}

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
