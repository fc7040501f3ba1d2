import { Problem, type Access, type Id } from '../../../common/index.js';
import {
  bindAttributes,
  parseJsonFilter,
  resolveFilter,
  TRUE,
  type Condition,
  type FilterContext,
  type TableSchema,
} from '../../../query/index.js';
import { brokenBy, isFor, type LiveColumns, type Rule, type RuleFilter, type StoredRule } from './rule.js';

/** Somebody for whom rules may be. */
export type Ruled = Pick<Access, 'role' | 'member' | 'timeZone'> & { readonly principal: { readonly userId: Id } };

/** What somebody may of a table: conditions on rows as the whole table has them, and columns by id. */
export interface TableRights {
  readonly read: Condition;
  readonly update: Condition;
  readonly create: Condition;
  readonly delete: Condition;
  readonly hidden: ReadonlySet<Id>;
  readonly locked: ReadonlySet<Id>;
}

const FALSE: Condition = { kind: 'not', item: TRUE };

/** What one rule lets this member do; whatever cannot be understood any more lets him do nothing. */
export class RuleInForce {
  constructor(
    readonly rule: StoredRule,
    private readonly table: TableSchema,
    private readonly ruled: Ruled,
    private readonly live: LiveColumns,
  ) {}

  /** Whether a column that its filters speak of is gone, or holds something else. */
  get isBroken(): boolean {
    return brokenBy(this.rule, this.live) !== undefined;
  }

  get read(): Condition {
    return this.condition(this.rule.read.filter);
  }

  get update(): Condition {
    return this.condition(this.rule.update.filter);
  }

  get delete(): Condition {
    return this.condition(this.rule.delete.filter);
  }

  get create(): Condition {
    const { allow, check } = this.rule.create;
    return allow ? this.condition(check) : FALSE;
  }

  get hidden(): ReadonlySet<Id> {
    return new Set(idsOf(this.rule, this.rule.columns.hidden));
  }

  get locked(): ReadonlySet<Id> {
    return new Set([...this.hidden, ...idsOf(this.rule, this.rule.columns.readOnly)]);
  }

  private condition(filter: RuleFilter | undefined): Condition {
    if (filter === undefined) return TRUE;
    if (this.isBroken) return FALSE;
    try {
      return resolveRuleFilter(filter, '', this.table, this.ruled);
    } catch (error) {
      // A column holds something else by now, or the member has no such attribute: a rule closes, it never widens.
      if (error instanceof Problem) return FALSE;
      throw error;
    }
  }
}

/** @throws Problem `filter_invalid` */
export function resolveRuleFilter(filter: RuleFilter, at: string, table: TableSchema, ruled: Ruled): Condition {
  const context: FilterContext = { now: new Date(), zone: ruled.timeZone, me: ruled.principal.userId };
  return resolveFilter(bindAttributes(parseJsonFilter(filter, at), ruled.member.attributes), table, context);
}

const idsOf = ({ columnIds }: StoredRule, keys: readonly string[]): readonly Id[] =>
  keys.flatMap((key) => columnIds[key] ?? []);

/** The rules of a table that are for somebody. */
export const rulesInForce = (
  rules: readonly StoredRule[],
  table: TableSchema,
  ruled: Ruled,
  live: LiveColumns,
): readonly RuleInForce[] =>
  rules
    .filter((rule: Rule) => isFor(rule, ruled.role, ruled.member.id))
    .map((rule) => new RuleInForce(rule, table, ruled, live));

/** What several rules let somebody do together; undefined where none is for him, and his role decides. */
export function togetherLet(inForce: readonly RuleInForce[]): TableRights | undefined {
  if (inForce.length === 0) return undefined;
  return {
    read: anyOf(inForce.map(({ read }) => read)),
    update: anyOf(inForce.map(({ update }) => update)),
    create: anyOf(inForce.map(({ create }) => create)),
    delete: anyOf(inForce.map(({ delete: deletion }) => deletion)),
    hidden: inAll(inForce.map(({ hidden }) => hidden)),
    locked: inAll(inForce.map(({ locked }) => locked)),
  };
}

function anyOf(conditions: readonly Condition[]): Condition {
  const open = conditions.filter((each) => each !== FALSE);
  if (open.length === 0) return FALSE;
  const [first = FALSE] = open;
  if (open.length === 1) return first;
  return open.some(({ kind }) => kind === 'true') ? TRUE : { kind: 'or', items: open };
}

const inAll = ([first, ...others]: readonly ReadonlySet<Id>[]): ReadonlySet<Id> =>
  new Set([...(first ?? [])].filter((id) => others.every((each) => each.has(id))));
