import { describe, expect, it } from '@jest/globals';
import { table } from '../../../test/query/index.js';
import { LinkChanges, listChange, LOGGED_IN_FULL, type ListChange } from './link-changes.js';

const TABLE = table([]);
const [A, B, C] = ['a', 'b', 'c'];
const many = Array.from({ length: LOGGED_IN_FULL }, (_, i) => `id ${i}`);

const recorded = (...changes: readonly ListChange[]): object | undefined => {
  const all = new LinkChanges();
  for (const change of changes) all.record(TABLE, 'row', 'links', change);
  const change = all.of(TABLE.id).get('row');
  return change && { before: change.before.links, after: change.after.links };
};

describe('a list of links that is changed twice', () => {
  it('is told from what it was first to what it is last', () => {
    expect(recorded(listChange([A], [B], []), listChange([A, B], [C], [A]))).toEqual({ before: [A], after: [B, C] });
  });

  it('in parts: all that came and went, but not what did both', () => {
    const [first, second] = [listChange(undefined, [A, B], [C]), listChange(undefined, [C, 'd'], [A, 'e'])];
    expect(recorded(first, second)).toEqual({
      before: { $add: ['e'], $remove: [B, 'd'] },
      after: { $add: [B, 'd'], $remove: ['e'] },
    });
  });

  it('first in full, then in parts: in full', () => {
    const first = { before: [A, ...many], after: [...many, B] };
    expect(recorded(first, listChange([...many, B], [C], [B]))).toEqual({
      before: [A, ...many],
      after: [...many, C],
    });
  });

  it('first in parts, then in full: what it was in parts, what it is in full', () => {
    const first = listChange([...many, A], [B], [A]);
    expect(recorded(first, { before: [...many, B], after: [C, ...many] })).toEqual({
      before: { $add: [A], $remove: [C] },
      after: [C, ...many],
    });
  });
});
