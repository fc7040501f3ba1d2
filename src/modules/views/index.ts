export { ViewDataQuery } from './read/view-data-query.dto.js';
export { ViewUpkeep } from './stored/view-upkeep.js';
export { ViewsModule } from './views.module.js';
