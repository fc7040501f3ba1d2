import { optional, type Layout } from './layout.js';

const DAYS = ['date', 'datetime', 'created_at', 'updated_at'] as const;

/** Rows on the days that a column of theirs names. */
export const calendar: Layout = {
  type: 'calendar',
  members: ['start', 'end', 'title'],
  check(given, at, shown) {
    shown.keyOf(DAYS, given.start, `${at}/start`);
    optional(given, 'end', at, (key, place) => shown.keyOf(DAYS, key, place));
    optional(given, 'title', at, (key, place) => shown.key(key, place));
  },
};
