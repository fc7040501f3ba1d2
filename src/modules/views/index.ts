export { FrozenViews, type FrozenView, type OpenedView, type ShownColumn } from './read/frozen-views.service.js';
export type { Reader } from './read/reader.js';
export { ViewDataQuery } from './read/view-data-query.dto.js';
export { ViewUpkeep } from './stored/view-upkeep.js';
export { ViewsModule } from './views.module.js';
