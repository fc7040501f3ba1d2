export { BaseCopy, type CopiedBase } from './copies/base-copy.js';
export { TableCatalog, type TableMeta } from './table-catalog.js';
export { contextOf } from './schema/structure.js';
export { TablesModule } from './tables.module.js';
