import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { MiniDbSchema } from '../../engines/index.js';
import { ResourceRegistry, WorkspacePurge, WorkspacesModule } from '../workspaces/index.js';
import { BaseEntity } from './bases/base.entity.js';
import { BasesController } from './bases/bases.controller.js';
import { BasesService } from './bases/bases.service.js';
import { ColumnEntity } from './columns/column.entity.js';
import { ColumnsController } from './columns/columns.controller.js';
import { ColumnsService } from './columns/columns.service.js';
import { BaseCopy } from './copies/base-copy.js';
import { DuplicateBaseController, DuplicateTableController } from './copies/duplicate.controller.js';
import { DuplicateService } from './copies/duplicate.service.js';
import { SchemaOpEntity } from './schema/schema-op.entity.js';
import { purgeTables } from './schema/purge-tables.js';
import { SchemaRecovery } from './schema/schema-recovery.js';
import { SchemaSaga } from './schema/schema-saga.js';
import { TableCatalog } from './table-catalog.js';
import { TableEntity } from './tables/table.entity.js';
import { TablesController } from './tables/tables.controller.js';
import { TablesService } from './tables/tables.service.js';
import { TemplatesController } from './templates/templates.controller.js';
import { TemplatesService } from './templates/templates.service.js';

/** Bases, tables and columns of the mini-DB. */
@Module({
  imports: [WorkspacesModule, TypeOrmModule.forFeature([BaseEntity, TableEntity, ColumnEntity, SchemaOpEntity])],
  controllers: [
    BasesController,
    TablesController,
    ColumnsController,
    DuplicateBaseController,
    DuplicateTableController,
    TemplatesController,
  ],
  providers: [
    BasesService,
    TablesService,
    ColumnsService,
    TableCatalog,
    SchemaSaga,
    SchemaRecovery,
    BaseCopy,
    DuplicateService,
    TemplatesService,
  ],
  exports: [TableCatalog, BaseCopy],
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
    registry.register('trashedTableId', async (id) => (await manager.findOneBy(TableEntity, { id }))?.workspaceId);
    purge.before((main, workspaceId) => purgeTables(main, mini, workspaceId));
  }
}
