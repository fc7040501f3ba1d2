export { TableCatalog, type TableMeta } from './table-catalog.js';
export { BasePurge, type BasePurgeStep } from './purge/base-purge.js';
export { contextOf } from './schema/structure.js';
export { TablesModule } from './tables.module.js';
