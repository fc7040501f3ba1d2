import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import {
  must,
  notFound,
  placeOfCursor,
  positionPage,
  type Access,
  type Id,
  type Page,
  type PageQuery,
} from '../../../common/index.js';
import type { RowCheck } from '../../../engines/index.js';
import { lockTable, type Cell, type ColumnSchema, type IndexPlan, type TableSchema } from '../../../query/index.js';
import { indexesAskedFor, makeAtOnce, uniqueIndexesOf } from '../indexes/indexes-of-column.js';
import { Retention } from '../retention.js';
import { TableCatalog } from '../table-catalog.js';
import { toColumnSchema } from '../tables/table-schema.js';
import { toColumnDto } from '../tables/to-dto.js';
import type { ColumnDto, RestoreColumnDto } from './column.dto.js';
import { ColumnEntity } from './column.entity.js';
import { ColumnChanges } from './column-changes.js';
import { planRestore } from './plan-restore.js';
import { everyRowHasValue, everyTupleIsUnique, everyValueIsUnique } from './row-conditions.js';

/** Deleted columns of tables that are there, until they are purged. */
@Injectable()
export class ColumnTrash {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ColumnChanges,
    private readonly catalog: TableCatalog,
    private readonly retention: Retention,
  ) {}

  /** Latest first; members whom rules keep from part of the table are shown none. */
  async list(access: Access, tableId: Id, { limit, cursor }: PageQuery): Promise<Page<ColumnDto>> {
    const { seen } = await this.catalog.fresh(tableId);
    if (seen.of(tableId, access).seen) return { data: [], page: { limit } };
    const query = this.dataSource.manager
      .createQueryBuilder(ColumnEntity, 'item')
      .where({ tableId, deletedAt: this.retention.restorable() })
      .orderBy('item.deletedAt', 'DESC')
      .addOrderBy('item.id', 'DESC')
      .take(limit + 1);
    if (cursor !== undefined) {
      const { position, id } = placeOfCursor(cursor);
      query.andWhere('(item.deletedAt, item.id) < (:at, :id)', { at: new Date(position), id });
    }
    const columns = await query.getMany();
    const places = columns.map((column) => ({ ...column, position: column.deletedAt?.getTime() ?? 0 }));
    const { data, page } = positionPage(places, limit);
    const shown = columns.slice(0, data.length);
    return {
      data: shown.map((column) => toColumnDto(column, column.position, this.retention.inTrash(column.deletedAt))),
      page,
    };
  }

  /**
   * Back to its place with its values, and what was demanded of them, also by unique indexes, unless that is relaxed. What went with it comes back with it.
   * @throws Problem `not_found`, `name_taken`, `limit_reached`, `rows_in_the_way`, `validation_failed` (what it leads to is gone)
   */
  restore(access: Access, tableId: Id, columnId: Id, { relax = false }: RestoreColumnDto): Promise<ColumnDto> {
    return this.changes.draft(access, tableId, 'column.restore', async (draft, manager) => {
      const deletedAt = this.retention.restorable();
      const hidden = await manager.findOneBy(ColumnEntity, { id: columnId, tableId, deletedAt });
      if (!hidden) throw notFound('column');
      const others = await manager.find(ColumnEntity, {
        where: [
          { deletedWith: In([hidden.id, hidden.deletedWith ?? hidden.id]), deletedAt },
          { id: hidden.options.inverseColumnId ?? hidden.id, deletedAt },
        ],
        order: { position: 'ASC', id: 'ASC' },
      });
      const { set, retired } = planRestore(draft, hidden, others, relax);
      draft.restoreColumns(set, retired, columnId);
      const { columns } = draft.table(tableId);
      const position = columns.findIndex(({ id }) => id === columnId);
      const column = must(columns[position], 'the column is back');
      const schema = draft.schemaOf(tableId);
      const name = must(retired.get(columnId), 'a hidden column has a name');
      // Where demands are relaxed, the worker tries whether they can be built all the same.
      const indexes = relax ? [] : uniqueIndexesOf(await indexesAskedFor(manager, tableId), schema, columnId);
      const checks = [
        ...demandsOf(schema, { ...toColumnSchema(column), physical: name }),
        ...indexes.map(({ plan }) => everyTupleIsUnique(schema, asTheyAre(plan, retired))),
      ];
      return {
        draft,
        ...(checks.length === 0 ? {} : { conditions: { lock: lockTable(schema, 'access exclusive'), checks } }),
        last: makeAtOnce(schema, indexes),
        result: toColumnDto(column, position),
      };
    });
  }
}

/** The rows are looked at before the column has its name back. */
const demandsOf = (schema: TableSchema, hidden: ColumnSchema): RowCheck[] => [
  ...(hidden.required ? [everyRowHasValue(schema, hidden)] : []),
  ...(hidden.unique ? everyValueIsUnique(schema, hidden) : []),
];

/** The columns of an index by the names that they have until the restore takes place. */
const asTheyAre = ({ keys }: IndexPlan, retired: ReadonlyMap<Id, string>): Cell[] =>
  keys.map(({ column }) => ({ column: { ...column, physical: retired.get(column.id) ?? column.physical } }));
