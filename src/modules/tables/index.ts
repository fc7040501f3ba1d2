export { PhysicalColumns, type PhysicalColumn } from './physical-columns.js';
export { TableCatalog, type TableMeta } from './table-catalog.js';
export type { Finding } from './drift/compare-base.js';
export { DriftWatch } from './drift/drift-watch.js';
export { openDriftChecker } from './drift/open-drift-checker.js';
export { BasePurge, type BasePurgeStep } from './purge/base-purge.js';
export { contextOf } from './schema/structure.js';
export { UsageCounter } from './indexes/usage-counter.js';
export { TablesModule } from './tables.module.js';
