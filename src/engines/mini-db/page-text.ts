import {
  COUNT_BOUND,
  isBackward,
  ROW_SEPARATOR,
  type CountMode,
  type Position,
  type ReadPlan,
} from '../../query/index.js';
import type { PgRow } from '../../database/mini/index.js';
import type { PageText } from '../data-engine.js';

type Text = string | null | undefined;

/** A page as `compilePage` gives it. */
export function pageText(
  {
    data,
    found,
    last,
    first,
  }: { readonly data: Text; readonly found: Text; readonly last: Text; readonly first: Text },
  plan: Pick<ReadPlan, 'limit' | 'way'>,
): Pick<PageText, 'data' | 'next' | 'prev'> {
  return {
    data: Number(found) > plan.limit ? withoutOneMore(data ?? '', plan) : (data ?? ''),
    ...(last ? { next: readPosition(last) } : {}),
    ...(first ? { prev: readPosition(first) } : {}),
  };
}

/** A page of groups as `compileGroupPage` gives it. */
export const groupsText = (data: Text, position: Text): Pick<PageText, 'data' | 'next'> => ({
  data: position ? withoutLast(data ?? '') : (data ?? ''),
  ...(position ? { next: readPosition(position) } : {}),
});

/** A count under the name that it was asked for by; `made` is what became of it. */
export async function countOf(
  asked: CountMode,
  made: CountMode,
  total: number,
  estimate: () => Promise<number>,
): Promise<Pick<PageText, 'count'>> {
  if (asked === 'none') return {};
  switch (made) {
    case 'exact':
      return { count: { mode: asked, value: total, relation: 'exact' } };
    case 'bounded':
      return {
        count: {
          mode: asked,
          value: Math.min(total, COUNT_BOUND),
          relation: total > COUNT_BOUND ? 'atLeast' : 'exact',
        },
      };
    default:
      return { count: { mode: asked, value: await estimate(), relation: 'estimate' } };
  }
}

/** What EXPLAIN said. */
export function expectedRows([row]: readonly PgRow[]): number {
  const [explained] = JSON.parse(row?.[0] ?? '[]') as { Plan: { 'Plan Rows': number } }[];
  return explained?.Plan['Plan Rows'] ?? 0;
}

/** A list without elements is shown as `[]`; its canonical form is null. */
const readPosition = (json: string): Position =>
  (JSON.parse(json) as Position).map((cell) => (Array.isArray(cell) && cell.length === 0 ? null : cell));

/** The row that only told that there is another page is not part of this one. */
const withoutOneMore = (rows: string, { way = 'after' }: Pick<ReadPlan, 'way'>): string =>
  isBackward(way)
    ? rows.slice(rows.indexOf(ROW_SEPARATOR) + ROW_SEPARATOR.length)
    : rows.slice(0, rows.lastIndexOf(ROW_SEPARATOR));

/** The group that only told that there is another page is not part of this one. */
const withoutLast = (groups: string): string => groups.slice(0, groups.lastIndexOf(ROW_SEPARATOR));
