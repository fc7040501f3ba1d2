export { PhysicalColumns, type PhysicalColumn } from './physical-columns.js';
export { TableCatalog, type TableMeta } from './table-catalog.js';
export { contextOf } from './schema/structure.js';
export { TablesModule } from './tables.module.js';
