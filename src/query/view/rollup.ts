import { refuse } from '../request/body.js';
import { ROW_SEPARATOR } from '../compile/page.js';
import type { ViewGroups } from '../compile/view/view-read.js';
import type { GroupKey } from '../group-plan.js';
import { kindOf } from '../kind.js';
import type { Condition } from '../plan.js';
import { TRUE } from '../resolve/resolve-read.js';
import type { Scalar } from '../schema.js';
import { cellOfText } from './row-maker.js';
import { membersOf } from './row-text.js';

/*
 * Subtotals of a page of groups: what the rows come to that are alike in the first of the groups only, in one of them less for each level,
 * down to all rows. They are groups of fewer keys, so that whatever answers for groups answers for them.
 */

/** The subtotals of one level that belong to the groups of a page. */
export interface Rollup {
  /** By how many of the groups: of 0 it is all rows. */
  readonly level: number;
  readonly plan: ViewGroups;
  /** What the database made of them, in the order of the page, each with its level. */
  readonly lines: (data: string) => readonly string[];
}

const linesOf = (data: string): readonly string[] => (data === '' ? [] : data.split(ROW_SEPARATOR));

/** JSON texts of the first values of a group. */
function keyOf(line: string, groups: readonly GroupKey[]): readonly string[] {
  const group = membersOf(membersOf(line).get('group') ?? '{}');
  return groups.map(({ output }) => group.get(output.key) ?? 'null');
}

/** @throws Problem 422 where a level would be of a list: lists are compared as sets, and grouped by as they are */
export function rollupsOf(plan: ViewGroups, data: string): readonly Rollup[] {
  const shown = linesOf(data);
  return plan.groups.flatMap((_, level): readonly Rollup[] => {
    const groups = plan.groups.slice(0, level);
    const list = groups.find(({ output }) => kindOf(output).list);
    if (list) throw refuse('/rollup', 'not_with_lists', `${list.output.key} holds lists, which have no subtotals but behind all other groups.`); // prettier-ignore
    const keys = new Map(shown.map((line) => [JSON.stringify(keyOf(line, groups)), keyOf(line, groups)]));
    if (level === 0) keys.set('[]', []);
    // A page without groups lies in none.
    if (keys.size === 0) return [];
    const lines = (found: string): readonly string[] => inOrder([...keys.keys()], found, groups);
    return [{ level, plan: planOf(plan, groups, [...keys.values()]), lines }];
  });
}

function planOf(plan: ViewGroups, groups: readonly GroupKey[], keys: readonly (readonly string[])[]): ViewGroups {
  const { from, where, aggregates } = plan;
  const having: Condition =
    groups.length === 0 ? TRUE : { kind: 'or', items: keys.map((key) => ({ kind: 'and', items: are(groups, key) })) };
  return {
    from,
    where,
    groups,
    aggregates,
    having,
    orderBy: groups.map(({ output }) => ({ by: { kind: 'column', column: output }, dir: 'asc' })),
    limit: Math.max(1, keys.length),
    count: 'none',
  };
}

const are = (groups: readonly GroupKey[], key: readonly string[]): readonly Condition[] =>
  groups.map(({ output: column }, i): Condition => {
    const value = cellOfText(kindOf(column), key[i]);
    return value === null ? { kind: 'isNull', column } : { kind: 'compare', column, op: 'eq', value: value as Scalar };
  });

function inOrder(keys: readonly string[], data: string, groups: readonly GroupKey[]): readonly string[] {
  const found = new Map(linesOf(data).map((line) => [JSON.stringify(keyOf(line, groups)), line]));
  return keys.flatMap((key) => {
    const line = found.get(key);
    return line === undefined ? [] : [`{"level":${groups.length},${line.slice(1)}`];
  });
}
