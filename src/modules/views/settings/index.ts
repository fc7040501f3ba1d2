import { bodyOf, refuse } from '../../../query/index.js';
import { calendar } from './calendar.js';
import { gallery } from './gallery.js';
import { grid } from './grid.js';
import { kanban } from './kanban.js';
import type { Layout } from './layout.js';
import type { Shown } from './shown.js';

export { shownBy, type Shown } from './shown.js';

const LAYOUTS: readonly Layout[] = [grid, kanban, calendar, gallery];
export const LAYOUT_TYPES: readonly string[] = LAYOUTS.map(({ type }) => type);

/** Of a view that was made without. */
export const DEFAULT_SETTINGS = { layout: { type: 'grid' } };

/**
 * Settings as they are kept: as they were sent.
 * @throws Problem `validation_failed`, `filter_invalid`
 */
export function parseSettings(input: unknown, at: string, shown: Shown): Readonly<Record<string, unknown>> {
  const settings = bodyOf(input, at, ['layout']);
  const place = `${at}/layout`;
  const found = LAYOUTS.find(({ type }) => type === typeOf(settings.layout));
  if (!found) {
    bodyOf(settings.layout, place, ['type', ...LAYOUTS.flatMap(({ members }) => members)]);
    throw refuse(`${place}/type`, 'is_in', `type is one of ${LAYOUT_TYPES.join(', ')}.`);
  }
  found.check(bodyOf(settings.layout, place, ['type', ...found.members]), place, shown);
  return settings;
}

const typeOf = (layout: unknown): unknown =>
  typeof layout === 'object' && layout !== null && 'type' in layout ? layout.type : undefined;
