import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { MiniDbSchema } from '../../engines/index.js';
import { ResourceRegistry, WorkspacePurge, WorkspacesModule } from '../workspaces/index.js';
import { BaseEntity } from './bases/base.entity.js';
import { BaseTrash } from './bases/base-trash.service.js';
import { BasesController } from './bases/bases.controller.js';
import { BasesService } from './bases/bases.service.js';
import { ColumnEntity } from './columns/column.entity.js';
import { ColumnChanges } from './columns/column-changes.js';
import { BackgroundConversions } from './columns/convert/background/background-conversions.service.js';
import { ColumnConversionEntity } from './columns/convert/background/column-conversion.entity.js';
import { ConversionWork } from './columns/convert/background/conversion-work.js';
import { ConversionWorker } from './columns/convert/background/conversion-worker.js';
import { Confirmations } from './columns/convert/confirmation.js';
import { Conversions } from './columns/convert/conversions.service.js';
import { ColumnTrash } from './columns/column-trash.service.js';
import { ColumnsController } from './columns/columns.controller.js';
import { DefaultPeople } from './columns/default-people.js';
import { ColumnsService } from './columns/columns.service.js';
import { DriftChecker } from './drift/drift-checker.js';
import { DriftWatch } from './drift/drift-watch.js';
import { AdvisedIndexes } from './indexes/advised-indexes.js';
import { IndexAdvice } from './indexes/index-advice.js';
import { IndexQueue } from './indexes/index-queue.js';
import { IndexUpkeep } from './indexes/index-upkeep.js';
import { IndexWorker } from './indexes/index-worker.js';
import { IndexesController } from './indexes/indexes.controller.js';
import { IndexesService } from './indexes/indexes.service.js';
import { TableIndexEntity } from './indexes/table-index.entity.js';
import { UsageCounter } from './indexes/usage-counter.js';
import { UsageLog } from './indexes/usage-log.js';
import { BasePurge } from './purge/base-purge.js';
import { StructurePurge } from './purge/structure-purge.js';
import { TablePurge } from './purge/table-purge.js';
import { ExplainRules } from './rules/explain.service.js';
import { RulesController } from './rules/rules.controller.js';
import { RulesGuard } from './rules/rules.guard.js';
import { RulesService } from './rules/rules.service.js';
import { TableRulesEntity } from './rules/table-rules.entity.js';
import { RevertibleStructure } from './revertible-structure.js';
import { Retention } from './retention.js';
import { BaseCopy } from './copies/base-copy.js';
import { DuplicateBaseController, DuplicateTableController } from './copies/duplicate.controller.js';
import { DuplicateService } from './copies/duplicate.service.js';
import { SchemaOpEntity } from './schema/schema-op.entity.js';
import { purgeTables } from './schema/purge-tables.js';
import { SchemaRecovery } from './schema/schema-recovery.js';
import { SchemaSaga } from './schema/schema-saga.js';
import { PhysicalColumns } from './physical-columns.js';
import { Fence } from './fence.js';
import { TableCatalog } from './table-catalog.js';
import { TableEntity } from './tables/table.entity.js';
import { TablesController } from './tables/tables.controller.js';
import { TablesService } from './tables/tables.service.js';
import { FormulasController } from './formulas/formulas.controller.js';
import { FormulasService } from './formulas/formulas.service.js';
import { TemplatesController } from './templates/templates.controller.js';
import { TemplatesService } from './templates/templates.service.js';
import { ViewsOfBases } from './views-of-bases.js';

const INDEXES = [
  IndexesService,
  IndexQueue,
  IndexUpkeep,
  IndexWorker,
  UsageLog,
  UsageCounter,
  IndexAdvice,
  AdvisedIndexes,
];

const CONVERSIONS = [Conversions, Confirmations, BackgroundConversions, ConversionWork, ConversionWorker];

/** Bases, tables, columns and indexes of the mini-DB. */
@Module({
  imports: [
    WorkspacesModule,
    TypeOrmModule.forFeature([
      BaseEntity,
      TableEntity,
      ColumnEntity,
      SchemaOpEntity,
      TableIndexEntity,
      ColumnConversionEntity,
      TableRulesEntity,
    ]),
  ],
  controllers: [
    BasesController,
    TablesController,
    ColumnsController,
    IndexesController,
    DuplicateBaseController,
    DuplicateTableController,
    TemplatesController,
    FormulasController,
    RulesController,
  ],
  providers: [
    BasesService,
    BaseTrash,
    TablesService,
    ColumnsService,
    ColumnChanges,
    ColumnTrash,
    DefaultPeople,
    ...CONVERSIONS,
    TableCatalog,
    Fence,
    PhysicalColumns,
    SchemaSaga,
    SchemaRecovery,
    Retention,
    DriftChecker,
    DriftWatch,
    BasePurge,
    TablePurge,
    StructurePurge,
    BaseCopy,
    ViewsOfBases,
    DuplicateService,
    TemplatesService,
    RevertibleStructure,
    FormulasService,
    RulesService,
    ExplainRules,
    { provide: APP_GUARD, useClass: RulesGuard },
    ...INDEXES,
  ],
  exports: [
    TableCatalog,
    Fence,
    TablesService,
    PhysicalColumns,
    Retention,
    UsageCounter,
    DriftWatch,
    BasePurge,
    BaseCopy,
    ViewsOfBases,
    RevertibleStructure,
  ],
})
export class TablesModule {
  constructor(
    registry: ResourceRegistry,
    catalog: TableCatalog,
    dataSource: DataSource,
    purge: WorkspacePurge,
    mini: MiniDbSchema,
  ) {
    const { manager } = dataSource;
    registry.register('tableId', (id) => catalog.workspaceOf(id));
    registry.register('baseId', (id) => catalog.workspaceOfBase(id));
    registry.register('trashedBaseId', async (id) => (await manager.findOneBy(BaseEntity, { id }))?.workspaceId);
    registry.register('trashedTableId', async (id) => (await manager.findOneBy(TableEntity, { id }))?.workspaceId);
    purge.before((main, workspaceId) => purgeTables(main, mini, workspaceId));
  }
}
