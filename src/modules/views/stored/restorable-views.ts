import type { RestorableViews } from '../../tables/index.js';
import { viewsOfTables } from './backed-up-views.js';
import { ViewVersionEntity } from './view-version.entity.js';
import { ViewEntity } from './view.entity.js';
import { writeViews } from './written-views.js';

/** What the restore of a base has to know of views. */
export const RESTORABLE_VIEWS: RestorableViews = {
  entities: [ViewEntity, ViewVersionEntity],
  ofTables: viewsOfTables,
  write: writeViews,
};
