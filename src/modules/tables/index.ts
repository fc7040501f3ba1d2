export { TableCatalog, type TableMeta } from './table-catalog.js';
export { contextOf } from './schema/structure.js';
export { UsageCounter } from './indexes/usage-counter.js';
export { TablesModule } from './tables.module.js';
