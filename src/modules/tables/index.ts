export { PhysicalColumns, type PhysicalColumn } from './physical-columns.js';
export { BaseCopy, type CopiedBase } from './copies/base-copy.js';
export { TableCatalog, type BaseMeta, type TableMeta } from './table-catalog.js';
export type { Finding } from './drift/compare-base.js';
export { DriftWatch } from './drift/drift-watch.js';
export { openDriftChecker } from './drift/open-drift-checker.js';
export { BasePurge, type BasePurgeStep } from './purge/base-purge.js';
export type { BackedUpViews } from './restore/backed-up-base.js';
export { openBaseRestore, type RestorableViews } from './restore/open-base-restore.js';
export { Fence } from './fence.js';
export { RevertibleStructure } from './revertible-structure.js';
export { Retention } from './retention.js';
export { contextOf } from './schema/structure.js';
export { UsageCounter } from './indexes/usage-counter.js';
export { TableDto } from './tables/table.dto.js';
export { InTrashDto, TrashPageQuery } from './trash.dto.js';
export { TablesService } from './tables/tables.service.js';
export { HonoursRules } from './rules/honours-rules.js';
export { ViewedAs } from './rules/viewed-as.js';
export { ViewedAsQuery } from './rules/viewed-as.dto.js';
export {
  MAX_VIEWS_OF_DOCUMENT,
  ViewsOfBases,
  type DocumentTable,
  type LeftOut,
  type PortableView,
  type ViewKeeper,
  type ViewWriter,
  type Wiring,
  type WrittenViews,
} from './views-of-bases.js';
export { TablesModule } from './tables.module.js';
