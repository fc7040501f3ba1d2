import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { deriveKey, notFound, type Access, type Id, type Page } from '../../../common/index.js';
import { lockTable, reviveColumn, type TableSchema } from '../../../query/index.js';
import { Retention } from '../retention.js';
import type { Structure } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { toColumnSchema } from '../tables/table-schema.js';
import { toColumnDto } from '../tables/to-dto.js';
import { placed, viewColumn, type ColumnChange } from './change-column.js';
import type { ColumnDto, RestoreColumnDto } from './column.dto.js';
import { ColumnEntity } from './column.entity.js';
import { ColumnChanges } from './column-changes.js';
import { mustHaveRoom } from './columns.service.js';
import { nameTaken } from './make-columns.js';
import { everyRowHasValue, everyValueIsUnique } from './row-conditions.js';

/** PostgreSQL has no more columns in a table. */
const MAX_HIDDEN = 1_600;

/** Deleted columns of tables that are there, until they are purged. */
@Injectable()
export class ColumnTrash {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ColumnChanges,
    private readonly catalog: TableCatalog,
    private readonly retention: Retention,
  ) {}

  /** Latest first. */
  async list(tableId: Id): Promise<Page<ColumnDto>> {
    await this.catalog.fresh(tableId);
    const columns = await this.dataSource.manager.find(ColumnEntity, {
      where: { tableId, deletedAt: this.retention.restorable() },
      order: { deletedAt: 'DESC', id: 'DESC' },
    });
    return {
      data: columns.map((column) => toColumnDto(column, column.position, this.retention.inTrash(column.deletedAt))),
      page: { limit: MAX_HIDDEN },
    };
  }

  /**
   * Back to its place with its values, and what was demanded of them, unless that is relaxed.
   * @throws Problem `not_found`, `name_taken`, `limit_reached`, `rows_in_the_way`
   */
  restore(access: Access, tableId: Id, columnId: Id, { relax = false }: RestoreColumnDto): Promise<ColumnDto> {
    return this.changes.run(access, tableId, 'column.restore', async (structure, manager) => {
      const hidden = await manager.findOneBy(ColumnEntity, {
        id: columnId,
        tableId,
        deletedAt: this.retention.restorable(),
      });
      if (!hidden) throw notFound('column');
      mustHaveRoom(structure.columns);
      return restored(structure, hidden, relax);
    });
  }
}

function restored({ columns, schema }: Structure, hidden: ColumnEntity, relax: boolean): ColumnChange {
  if (columns.some(({ nameFolded }) => nameFolded === hidden.nameFolded)) throw nameTaken('/name', hidden.name);
  const keys = new Set(columns.map(({ key }) => key));
  const key = keys.has(hidden.key) ? deriveKey(hidden.name, keys) : hidden.key;
  const demands = relax ? { required: false, unique: false } : {};
  const back: ColumnEntity = { ...hidden, ...demands, key, physicalName: key, deletedAt: null };
  const position = columns.filter((column) => column.position < hidden.position).length;
  const [column, ...moved] = placed(columns.toSpliced(position, 0, back), back);
  return {
    statements: reviveColumn(schema, toColumnSchema(column), hidden.physicalName),
    ...conditionsOf(schema, column, hidden.physicalName),
    column,
    moved,
    position,
    action: 'column.restored',
    after: viewColumn(column),
  };
}

/** The rows are looked at before the column has its name back. */
function conditionsOf(
  schema: TableSchema,
  column: ColumnEntity,
  retiredName: string,
): Pick<ColumnChange, 'conditions'> {
  const hidden = { ...toColumnSchema(column), physical: retiredName };
  const checks = [
    ...(column.required ? [everyRowHasValue(schema, hidden)] : []),
    ...(column.unique ? everyValueIsUnique(schema, hidden) : []),
  ];
  return checks.length === 0 ? {} : { conditions: { lock: lockTable(schema, 'access exclusive'), checks } };
}
