import { bodyOf, refuse } from '../../../query/index.js';
import { between, MAX_KEYS, once, oneOf, optional, upTo, yesOrNo, type Layout } from './layout.js';
import type { Shown } from './shown.js';

const COLOR = /^#[0-9a-f]{6}$/i;
const MAX_COLORS = 50;

/** Rows below each other, columns side by side. */
export const grid: Layout = {
  type: 'grid',
  members: ['columns', 'rowHeight', 'frozenColumns', 'colorBy'],
  check(given, at, shown) {
    const seen = new Set<string>();
    optional(
      given,
      'columns',
      at,
      upTo(MAX_KEYS, (column, place) => {
        const settings = bodyOf(column, place, ['key', 'width', 'hidden', 'pinned', 'wrap']);
        once(seen, shown.key(settings.key, `${place}/key`), `${place}/key`);
        optional(settings, 'width', place, between(40, 2_000));
        optional(settings, 'hidden', place, yesOrNo);
        optional(settings, 'pinned', place, oneOf(['left']));
        optional(settings, 'wrap', place, yesOrNo);
      }),
    );
    optional(given, 'rowHeight', at, oneOf(['short', 'medium', 'tall', 'extra']));
    optional(given, 'frozenColumns', at, between(0, 20));
    optional(given, 'colorBy', at, (colors, place) => {
      checkColors(colors, place, shown);
    });
  },
};

/** By the value of a column, or by the first condition that holds. */
function checkColors(input: unknown, at: string, shown: Shown): void {
  const given = bodyOf(input, at, ['field', 'conditions']);
  if ((given.field === undefined) === (given.conditions === undefined))
    throw refuse(at, 'invalid_colors', 'Colours are {"field"} or {"conditions"}.');
  optional(given, 'field', at, (key, place) => shown.key(key, place));
  optional(
    given,
    'conditions',
    at,
    upTo(MAX_COLORS, (item, place) => {
      const { filter, color } = bodyOf(item, place, ['filter', 'color']);
      shown.filter(filter, `${place}/filter`);
      if (typeof color !== 'string' || !COLOR.test(color))
        throw refuse(`${place}/color`, 'is_color', 'A colour is #rrggbb.');
    }),
  );
}
