export { FrozenViews, type FrozenView, type OpenedView, type ShownColumn } from './read/frozen-views.service.js';
export { headsOf, LiveViews, type LiveView, type ViewState } from './read/live-views.service.js';
export { ViewCatalog } from './stored/view-catalog.js';
export type { Reader } from './read/reader.js';
export { RevertibleViews } from './revertible-views.js';
export { ViewDataQuery } from './read/view-data-query.dto.js';
export { ViewUpkeep } from './stored/view-upkeep.js';
export { VersionPipe } from './version.pipe.js';
export { ViewsModule } from './views.module.js';
