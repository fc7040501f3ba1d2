import { In, type EntityManager } from 'typeorm';
import { invalid, type Id } from '../../../common/index.js';
import { titleShown, type ColumnSchema } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { sources } from '../columns/dependents.js';
import { isFor, RULED_ROLES, type StoredRule } from './rule.js';
import { TableRulesEntity } from './table-rules.entity.js';

/** A base in which a column becomes one of values. */
interface Home {
  readonly columns: readonly ColumnEntity[];
  columnSchema(column: ColumnEntity): ColumnSchema;
}

/** Those whom the same rules are for, by role and membership. */
type Kind = readonly [(typeof RULED_ROLES)[number], Id];

/**
 * What rules keep from members they keep from them also where other columns are computed from it. Values of its own a column shows to
 * everybody who sees it, so it may not come to have them while somebody is shown it in part or not at all.
 * @throws Problem `validation_failed` with `rules_in_the_way`
 */
export async function mustShowNoMore(manager: EntityManager, home: Home, column: ColumnEntity): Promise<void> {
  if (column.type !== 'link' && sources(column).length === 0) return;
  const behind = columnsBehind(home, column);
  const otherEnds = home.columns.filter(({ id }) => behind.some(({ options }) => options.inverseColumnId === id));
  const found = await manager.findBy(TableRulesEntity, { tableId: In(home.columns.map(({ tableId }) => tableId)) });
  const rules = new Map(found.map((each) => [each.tableId, each.rules]));
  const of = (tableId: Id, kind: Kind): readonly StoredRule[] =>
    (rules.get(tableId) ?? []).filter((rule) => isFor(rule, ...kind));
  const hides = (kind: Kind, { id, tableId }: ColumnEntity): boolean => {
    const own = of(tableId, kind);
    return own.length > 0 && own.every((rule) => rule.columns.hidden.some((key) => rule.columnIds[key] === id));
  };
  const leavesOut = (kind: Kind, tableId: Id): boolean => {
    const own = of(tableId, kind);
    return own.length > 0 && own.every(({ read }) => read.filter !== undefined);
  };
  for (const kind of kindsOf([...rules.values()].flat())) {
    if (hides(kind, column)) continue;
    // Both ends of a link hold the same.
    const hidden = [...behind, ...otherEnds].find((each) => hides(kind, each));
    const tableId =
      hidden?.tableId ?? behind.flatMap(({ options }) => options.tableId ?? []).find((id) => leavesOut(kind, id));
    if (tableId !== undefined) throw rulesInTheWay(column, tableId);
  }
}

const rulesInTheWay = ({ key }: ColumnEntity, tableId: Id): Error =>
  invalid([
    {
      ...{ pointer: '/to/type', code: 'rules_in_the_way', tableId },
      detail: `Rules keep from some members what ${key} is made of; as values it would be shown to them. Hide ${key} itself from them first.`,
    },
  ]);

/** The column and all that its new values are made of, titles too. */
function columnsBehind(home: Home, column: ColumnEntity): readonly ColumnEntity[] {
  const byId = new Map(home.columns.map((each) => [each.id, each]));
  const title = titleShown(home.columnSchema(column))?.id;
  const found = new Set<ColumnEntity>();
  const visit = (id: Id | undefined): void => {
    const each = id === undefined ? undefined : byId.get(id);
    if (!each || found.has(each)) return;
    found.add(each);
    for (const source of sources(each)) visit(source);
  };
  visit(column.id);
  visit(title);
  return [...found];
}

/** One of each; nobody has the id of those whom no rule names. */
function kindsOf(rules: readonly StoredRule[]): readonly Kind[] {
  const members = new Set(['', ...rules.flatMap(({ appliesTo }) => appliesTo.memberIds ?? [])]);
  return RULED_ROLES.flatMap((role) => [...members].map((id) => [role, id] as const));
}
