import { Injectable } from '@nestjs/common';
import { invalid, must, Problem, type Access, type Id, type Page } from '../../../common/index.js';
import { addColumn, retireColumn } from '../../../query/index.js';
import { randomSuffix } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { toColumnSchema } from '../tables/table-schema.js';
import { MAX_COLUMNS } from '../tables/table.dto.js';
import { toColumnDto } from '../tables/to-dto.js';
import type { ColumnDto, CreateColumnDto, UpdateColumnDto } from './column.dto.js';
import type { ColumnEntity } from './column.entity.js';
import { changeColumn, findColumn, viewColumn } from './change-column.js';
import { ColumnChanges } from './column-changes.js';
import { makeColumns } from './make-columns.js';

/** Use cases of columns that are there. Each is a schema change of its table. */
@Injectable()
export class ColumnsService {
  constructor(
    private readonly changes: ColumnChanges,
    private readonly catalog: TableCatalog,
  ) {}

  async list(tableId: Id): Promise<Page<ColumnDto>> {
    const { columns } = await this.catalog.fresh(tableId);
    return { data: columns.map((column, position) => toColumnDto(column, position)), page: { limit: MAX_COLUMNS } };
  }

  /** @throws Problem `name_taken`, `validation_failed`, `limit_reached`, `unique_violation` */
  create(access: Access, tableId: Id, input: CreateColumnDto): Promise<ColumnDto> {
    return this.changes.run(access, tableId, 'column.create', ({ columns, schema }) => {
      mustHaveRoom(columns);
      const column = must(makeColumns([input], tableId, columns, () => '')[0], 'one column was asked for');
      if (column.required && column.default === null) {
        throw invalid([
          {
            pointer: '/default',
            code: 'default_missing',
            detail: 'A required column of a table that exists needs a default, for the rows that are there.',
          },
        ]);
      }
      return {
        statements: addColumn(schema, toColumnSchema(column)),
        column,
        position: columns.length,
        action: 'column.created',
        after: viewColumn(column),
      };
    });
  }

  /** @throws Problem `name_taken`, `validation_failed`, `rows_in_the_way` */
  update(access: Access, tableId: Id, columnId: Id, input: UpdateColumnDto): Promise<ColumnDto> {
    return this.changes.run(access, tableId, 'column.update', (structure) => changeColumn(structure, columnId, input));
  }

  /** Hidden at once under another physical name, values kept until it is purged. */
  async remove(access: Access, tableId: Id, columnId: Id): Promise<void> {
    await this.changes.run(access, tableId, 'column.delete', ({ columns, schema }) => {
      const before = findColumn(columns, columnId);
      const position = columns.indexOf(before);
      const column = {
        ...before,
        position,
        deletedAt: new Date(),
        physicalName: `_old_${before.key.slice(0, 48)}_${randomSuffix()}`,
      };
      return {
        statements: retireColumn(schema, toColumnSchema(before), column.physicalName),
        column,
        position,
        action: 'column.deleted',
        before: viewColumn(before),
      };
    });
  }
}

/** @throws Problem `limit_reached` */
export function mustHaveRoom(columns: readonly ColumnEntity[]): void {
  if (columns.length >= MAX_COLUMNS)
    throw new Problem('limit_reached', { detail: `A table has at most ${MAX_COLUMNS} columns.` });
}
