import { keysOf, optional, yesOrNo, type Layout } from './layout.js';

/** Cards in a stack for each value of a column. */
export const kanban: Layout = {
  type: 'kanban',
  members: ['stackBy', 'cover', 'cardFields', 'hideEmptyStacks'],
  check(given, at, shown) {
    shown.key(given.stackBy, `${at}/stackBy`);
    optional(given, 'cover', at, (key, place) => shown.key(key, place));
    optional(given, 'cardFields', at, keysOf(shown));
    optional(given, 'hideEmptyStacks', at, yesOrNo);
  },
};
