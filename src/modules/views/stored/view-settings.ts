import type { Access } from '../../../common/index.js';
import type { ResolvedView } from '../../../query/index.js';
import { parseSettings, shownBy } from '../settings/index.js';
import { mustBeBounded } from './view-input.js';
import type { StoredJson } from './view.entity.js';

/** Settings that fit what a view shows, as they are kept. @throws Problem `validation_failed`, `filter_invalid` */
export function settingsFor(access: Access, resolved: ResolvedView, settings: unknown): StoredJson {
  const parsed = parseSettings(settings, '/settings', shownBy(resolved, access));
  mustBeBounded(parsed, '/settings');
  return parsed;
}
