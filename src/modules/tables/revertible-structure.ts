import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { notFound, type Id, type Revertible } from '../../common/index.js';
import { BaseTrash } from './bases/base-trash.service.js';
import { BasesService } from './bases/bases.service.js';
import { ColumnTrash } from './columns/column-trash.service.js';
import { ColumnEntity } from './columns/column.entity.js';
import { ColumnsService } from './columns/columns.service.js';
import { TablesService } from './tables/tables.service.js';

const APPEARANCE = ['name', 'description', 'color', 'icon', 'position'] as const;

/** How changes of bases, tables and columns are taken back. */
@Injectable()
export class RevertibleStructure {
  readonly base: Revertible;
  readonly table: Revertible;
  readonly column: Revertible;

  constructor(
    private readonly dataSource: DataSource,
    bases: BasesService,
    trashedBases: BaseTrash,
    tables: TablesService,
    columns: ColumnsService,
    trashedColumns: ColumnTrash,
  ) {
    const permission = 'structure:change';
    this.base = {
      ...{ permission, fields: APPEARANCE },
      update: (access, id, fields) => bases.update(access, id, fields),
      remove: (access, id) => bases.remove(access, id),
      restore: (access, id) => trashedBases.restore(access, id),
    };
    this.table = {
      ...{ permission, fields: APPEARANCE },
      update: (access, id, fields) => tables.update(access, id, fields),
      remove: (access, id) => tables.remove(access, id),
      restore: (access, id) => tables.restore(access, id),
    };
    this.column = {
      ...{ permission, fields: ['name', 'description', 'required', 'unique', 'default', 'options', 'position'] },
      update: async (access, id, fields) => columns.update(access, await this.tableOf(id), id, fields),
      remove: async (access, id) => columns.remove(access, await this.tableOf(id), id),
      restore: async (access, id) => trashedColumns.restore(access, await this.tableOf(id), id, {}),
    };
  }

  private async tableOf(columnId: Id): Promise<Id> {
    const column = await this.dataSource.manager.findOneBy(ColumnEntity, { id: columnId });
    if (!column) throw notFound('column');
    return column.tableId;
  }
}
