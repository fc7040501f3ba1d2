export { ViewDataQuery } from './read/view-data-query.dto.js';
export { ViewsModule } from './views.module.js';
