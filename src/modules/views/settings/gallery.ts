import { keysOf, oneOf, optional, type Layout } from './layout.js';

/** Cards with pictures. */
export const gallery: Layout = {
  type: 'gallery',
  members: ['cover', 'coverFit', 'cardFields'],
  check(given, at, shown) {
    optional(given, 'cover', at, (key, place) => shown.key(key, place));
    optional(given, 'coverFit', at, oneOf(['cover', 'contain']));
    optional(given, 'cardFields', at, keysOf(shown));
  },
};
