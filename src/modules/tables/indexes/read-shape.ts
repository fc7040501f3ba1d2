import { isId, type Id } from '../../../common/index.js';
import type { Condition, ReadPlan } from '../../../query/index.js';
import type { IndexColumn } from './table-index.entity.js';

/**
 * What of a read an index could help: columns by the class of the operator that every row has to pass, and the sort. No value of a
 * request is in it. Alternatives (`or`) and negations are left out: no single index answers them.
 */
export interface ReadShape {
  /** Compared for equality, in the order of ids. */
  readonly equal: readonly Id[];
  /** Compared with bounds or a list, in the order of ids. */
  readonly range: readonly Id[];
  /** Searched for a text, in the order of ids. */
  readonly match: readonly Id[];
  readonly sort: readonly IndexColumn[];
}

type OperatorClass = 'equal' | 'range' | 'match';

/** As many columns of one class are kept, which bounds the text; more than an index could have. */
const MAX_PER_CLASS = 5;

/** The shape of a plan as text, the key under which it is counted; empty when no index could help. */
export function shapeOf({ where, orderBy, trashed = false }: Pick<ReadPlan, 'where' | 'orderBy' | 'trashed'>): string {
  // Indexes hold the rows that are there.
  if (trashed) return '';
  const sort = orderBy.flatMap(({ by, dir }) =>
    by.kind === 'column' ? [`${dir === 'desc' ? '-' : ''}${by.column.id}`] : [],
  );
  if (where.kind === 'true') return sort.length === 0 ? '' : `|||${sort.join(',')}`;
  const classes: Record<OperatorClass, Set<Id>> = { equal: new Set(), range: new Set(), match: new Set() };
  collect(where, classes);
  const { equal, range, match } = classes;
  if (equal.size + range.size + match.size + sort.length === 0) return '';
  const listed = [equal, range, match].map((ids) => [...ids].sort().slice(0, MAX_PER_CLASS).join(','));
  return `${listed.join('|')}|${sort.join(',')}`;
}

function collect(condition: Condition, into: Record<OperatorClass, Set<Id>>): void {
  if (condition.kind === 'and') for (const item of condition.items) collect(item, into);
  else {
    const found = classOf(condition);
    if (found) into[found.of].add(found.columnId);
  }
}

function classOf(condition: Condition): { readonly of: OperatorClass; readonly columnId: Id } | undefined {
  switch (condition.kind) {
    case 'compare':
      if (condition.op === 'neq') return undefined;
      return { of: condition.op === 'eq' ? 'equal' : 'range', columnId: condition.column.id };
    case 'isNull':
      return { of: 'equal', columnId: condition.column.id };
    case 'oneOf':
    case 'between':
      return { of: 'range', columnId: condition.column.id };
    case 'match':
      return { of: 'match', columnId: condition.column.id };
    default:
      return undefined;
  }
}

/** Back from the text; undefined for one that this version did not write. */
export function readShape(text: string): ReadShape | undefined {
  const parts = text.split('|').map((part) => (part === '' ? [] : part.split(',')));
  const [equal, range, match, sort, ...more] = parts;
  if (!equal || !range || !match || !sort || more.length > 0) return undefined;
  const order = sort.map((term): IndexColumn =>
    term.startsWith('-') ? { columnId: term.slice(1), dir: 'desc' } : { columnId: term, dir: 'asc' },
  );
  const ids = [...equal, ...range, ...match, ...order.map(({ columnId }) => columnId)];
  return ids.every(isId) ? { equal, range, match, sort: order } : undefined;
}
