import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { notFound, type Id, type Revertible } from '../../common/index.js';
import { BaseTrash } from './bases/base-trash.service.js';
import { BasesService } from './bases/bases.service.js';
import { ColumnTrash } from './columns/column-trash.service.js';
import { ColumnEntity } from './columns/column.entity.js';
import { ColumnsService } from './columns/columns.service.js';
import { formulaOfLog } from './columns/formula-columns.js';
import { defaultOfLog } from './columns/told-default.js';
import { IndexesService } from './indexes/indexes.service.js';
import { RulesService } from './rules/rules.service.js';
import { TablesService } from './tables/tables.service.js';

const APPEARANCE = ['name', 'description', 'color', 'icon', 'position'] as const;

const COLUMN = ['name', 'description', 'required', 'unique', 'position'] as const;

/** How changes of bases, tables, their rules and indexes, and columns are taken back. */
@Injectable()
export class RevertibleStructure {
  readonly base: Revertible;
  readonly table: Revertible;
  readonly column: Revertible;
  readonly index: Revertible;
  readonly rules: Revertible & Required<Pick<Revertible, 'ways'>>;

  constructor(
    private readonly dataSource: DataSource,
    bases: BasesService,
    trashedBases: BaseTrash,
    tables: TablesService,
    columns: ColumnsService,
    trashedColumns: ColumnTrash,
    rules: RulesService,
    indexes: IndexesService,
  ) {
    const permission = 'structure:change';
    this.base = {
      ...{ permission, fields: () => APPEARANCE },
      update: (access, id, fields) => bases.update(access, id, fields),
      remove: (access, id) => bases.remove(access, id),
      restore: (access, id) => trashedBases.restore(access, id),
    };
    this.table = {
      ...{ permission, fields: () => APPEARANCE },
      update: (access, id, fields) => tables.update(access, id, fields),
      remove: (access, id) => tables.remove(access, id),
      restore: (access, id) => tables.restore(access, id),
    };
    this.column = {
      permission,
      // What a field held as another type means nothing to this one.
      fields: (moved) => [...COLUMN, ...(moved.has('type') ? [] : ['default', 'options'])],
      update: async (access, id, fields) => {
        const { tableId, type } = await this.columnOf(id);
        const json = type === 'json' && 'default' in fields ? { default: defaultOfLog(fields.default) } : {};
        const formula = type === 'formula' && fields.options ? { options: formulaOfLog(fields.options) } : {};
        return columns.update(access, tableId, id, { ...fields, ...json, ...formula });
      },
      remove: async (access, id) => columns.remove(access, (await this.columnOf(id)).tableId, id),
      restore: async (access, id) => trashedColumns.restore(access, (await this.columnOf(id)).tableId, id, {}),
    };
    this.index = {
      ...{ permission, fields: () => [], update: () => Promise.resolve() },
      remove: async (access, id) => indexes.remove(access, await indexes.tableOf(id), id),
      restore: (access, _id, was) => indexes.putBack(access, was),
    };
    this.rules = {
      permission: 'rules:manage',
      fields: () => ['rules'],
      ways: { 'table.rules_changed': 'update' },
      update: (access, tableId, { rules: told }) => rules.putBack(access, tableId, told),
    };
  }

  private async columnOf(id: Id): Promise<ColumnEntity> {
    const column = await this.dataSource.manager.findOneBy(ColumnEntity, { id });
    if (!column) throw notFound('column');
    return column;
  }
}
