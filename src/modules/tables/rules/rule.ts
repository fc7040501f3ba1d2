import type { Id, Role } from '../../../common/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { isComputed } from '../columns/resolve-references.js';

/** The roles that rules can be for: owners and admins are never kept from anything. */
export const RULED_ROLES = ['editor', 'viewer'] as const satisfies readonly Role[];
export type RuledRole = (typeof RULED_ROLES)[number];

export const MAX_RULES = 100;

/** A filter in JSON syntax, with `{"$me":true}` and `{"$attr":"region"}` among its values. */
export type RuleFilter = object;

/**
 * What some members may see and do of a table. A part that is absent leaves it to the role: every row can be read, what may be read may be
 * changed, and so on. Of several rules for somebody each adds to what he may.
 */
export interface Rule {
  readonly name: string;
  /** Everybody but owners and admins where neither is given. */
  readonly appliesTo: { readonly roles?: readonly RuledRole[]; readonly memberIds?: readonly Id[] };
  readonly read: { readonly filter?: RuleFilter };
  readonly update: { readonly filter?: RuleFilter };
  readonly create: { readonly allow: boolean; readonly check?: RuleFilter };
  readonly delete: { readonly filter?: RuleFilter };
  /** Keys of columns. */
  readonly columns: { readonly hidden: readonly string[]; readonly readOnly: readonly string[] };
}

/** A rule with what its keys meant when it was made, so that it never speaks of a column that got a key later. */
export interface StoredRule extends Rule {
  /** Ids of the columns in `columns`, by key. */
  readonly columnIds: Readonly<Record<string, Id>>;
  /** Ids of the columns that its filters speak of, of linked tables, too. */
  readonly reads: readonly Id[];
  /** What these columns held, by id, as {@link LiveColumns} has it: a filter may be read in another way where one holds something else. Absent in rules of before this was kept. */
  readonly types?: Readonly<Record<Id, string>>;
}

/** The filters of a rule, each with the member that it stands in. */
export const filtersOf = ({
  read,
  update,
  create,
  delete: deletion,
}: Rule): readonly (readonly [string, RuleFilter])[] =>
  (
    [
      ['/read/filter', read.filter],
      ['/update/filter', update.filter],
      ['/create/check', create.check],
      ['/delete/filter', deletion.filter],
    ] as const
  ).flatMap(([at, filter]) => (filter === undefined ? [] : [[at, filter] as const]));

/** Whether the rule is one for this member. */
export function isFor({ appliesTo: { roles, memberIds } }: Rule, role: Role, memberId: Id): boolean {
  if (!RULED_ROLES.some((ruled) => ruled === role)) return false;
  if (roles === undefined && memberIds === undefined) return true;
  return (roles?.some((each) => each === role) ?? false) || (memberIds?.includes(memberId) ?? false);
}

/** The columns of a base that are there, with what they hold: values of a type, those of computed columns by how they are made. */
export type LiveColumns = ReadonlyMap<Id, string>;

type LiveColumn = Pick<ColumnEntity, 'id' | 'type' | 'options'>;

export const liveColumns = (records: readonly { readonly columns: readonly LiveColumn[] }[]): LiveColumns =>
  new Map(records.flatMap(({ columns }) => columns.map((column) => [column.id, heldBy(column)] as const)));

const heldBy = (column: LiveColumn): string =>
  isComputed(column) ? `${column.type} ${JSON.stringify(column.options, inStoredOrder)}` : column.type;

/** Members in the order in which the database gives them back, which is what rules keep: what is about to be written has them as they were asked for. */
const inStoredOrder = (_: string, member: unknown): unknown =>
  typeof member === 'object' && member !== null && !Array.isArray(member)
    ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)))
    : member;

/** A column that the filters of the rule speak of and that is gone, or holds something else by now. */
export const brokenBy = ({ reads, types = {} }: StoredRule, live: LiveColumns): Id | undefined =>
  reads.find((id) => !live.has(id) || (types[id] ?? live.get(id)) !== live.get(id));
