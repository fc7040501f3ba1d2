import { Injectable } from '@nestjs/common';
import { DataSource, Not } from 'typeorm';
import {
  countedPage,
  invalid,
  newId,
  notFound,
  Problem,
  type Access,
  type Id,
  type Page,
  type PageQuery,
} from '../../../common/index.js';
import { actorOf, AuditedTransaction, type Actor, type OutboxEvent } from '../../../database/main/index.js';
import { MiniDbIndexes } from '../../../engines/index.js';
import {
  columnByKey,
  forwards,
  isIndexable,
  type ColumnSchema,
  type IndexPlan,
  type TableSchema,
} from '../../../query/index.js';
import { readStructure } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { TableEntity } from '../tables/table.entity.js';
import { indexAudit } from './index-audit.js';
import { MAX_INDEXES, type CreateIndexDto, type IndexColumnDto, type IndexDto } from './index.dto.js';
import { definitionOf, isAtRest, planOf } from './planned-index.js';
import { TableIndexEntity } from './table-index.entity.js';
import { automaticIndexes, fieldsOf, shownState, toIndexDto } from './to-index-dto.js';

/** Use cases of indexes. They only say what there is to be; the worker makes it so. */
@Injectable()
export class IndexesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
    private readonly catalog: TableCatalog,
    private readonly indexes: MiniDbIndexes,
  ) {}

  /** Whoever sees part of the table sees the indexes of nothing but columns that he sees; none that failed, since a row that he does not see may be why. */
  async list(access: Access, tableId: Id, page: PageQuery): Promise<Page<IndexDto>> {
    const table = await this.catalog.fresh(tableId);
    const asked = await this.dataSource.manager.find(TableIndexEntity, { where: { tableId }, order: { id: 'ASC' } });
    const there = asked.filter((index) => !isAtRest(index, table.tableSchema));
    const all = [...automaticIndexes(table), ...there.map((index) => toIndexDto(index, table))];
    const { seen, columns } = table.seen.of(tableId, access);
    if (!seen) return countedPage(all, page);
    const ids = new Set<Id | null>([null, ...columns.map(({ id }) => id)]);
    const isSeen = ({ columns: keys, state }: IndexDto): boolean =>
      state !== 'failed' && keys.length > 0 && keys.every(({ columnId }) => ids.has(columnId));
    return countedPage(all.filter(isSeen), page);
  }

  /** @throws Problem `validation_failed`, `conflict`, `limit_reached`, `not_implemented` */
  create(access: Access, tableId: Id, input: CreateIndexDto): Promise<IndexDto> {
    return this.add(actorOf(access), tableId, (table) => requestedPlan(table, input));
  }

  /**
   * Makes an index as the audit log tells of one that was removed.
   * @throws Problem `not_revertible` it does not tell that, or a column has gone since; as {@link create}
   */
  putBack(access: Access, { tableId, kind, unique, columns }: Readonly<Record<string, unknown>>): Promise<IndexDto> {
    if (typeof tableId !== 'string')
      throw new Problem('not_revertible', { detail: 'The log does not hold what it was: make the index again.' });
    return this.add(actorOf(access), tableId, (table) => {
      const asked = (columns as readonly IndexColumnDto[]).map(({ columnId, field, dir }) => {
        if (!table.columns.some(({ id }) => id === columnId))
          throw new Problem('not_revertible', { detail: `The column ${field} has gone since.` });
        return { columnId, dir };
      });
      return requestedPlan(table, { kind, unique, columns: asked } as CreateIndexDto);
    });
  }

  /** The table that an index is of. @throws Problem `not_found` */
  async tableOf(indexId: Id): Promise<Id> {
    const index = await this.dataSource.manager.findOneBy(TableIndexEntity, { id: indexId });
    if (!index) throw notFound('index');
    return index.tableId;
  }

  /** @throws Problem `conflict`, `limit_reached`, `not_implemented`; whatever `plan` throws */
  async add(actor: Actor, tableId: Id, plan: (table: TableSchema) => IndexPlan): Promise<IndexDto> {
    const searchable = await this.indexes.canSearch();
    return this.transaction.run(actor, async (manager) => {
      // Whoever adds an index to the table at the same moment waits, and then sees this one.
      await manager.findOne(TableEntity, { where: { id: tableId }, lock: { mode: 'for_no_key_update' } });
      const { table, schema } = await readStructure(manager, tableId);
      const wanted = plan(schema);
      if (wanted.kind === 'search' && !searchable)
        throw new Problem('not_implemented', {
          detail: 'This PostgreSQL lacks the module pg_trgm, which searches need.',
        });
      const all = await manager.findBy(TableIndexEntity, { tableId, state: Not('dropping') });
      const others = all.filter((index) => !isAtRest(index, schema));
      mustBeNew(wanted, others, schema);
      if (others.length >= MAX_INDEXES)
        throw new Problem('limit_reached', { detail: `A table has at most ${MAX_INDEXES} indexes of its own.` });
      const index = newIndex(table, wanted, actor.id);
      await manager.insert(TableIndexEntity, index);
      return {
        result: toIndexDto(index, { tableSchema: schema }),
        audit: [indexAudit(table.workspaceId, index.id, 'index.created', nameOf(wanted), view(tableId, wanted))],
        events: [changed(tableId)],
      };
    });
  }

  /** @throws Problem `conflict` for one that belongs to the structure */
  async remove(access: Access, tableId: Id, indexId: Id): Promise<void> {
    const meta = await this.catalog.fresh(tableId);
    if (automaticIndexes(meta).some(({ id }) => id === indexId))
      throw new Problem('conflict', {
        detail: 'This index belongs to the structure: it goes with its column or table.',
      });
    await this.transaction.run(actorOf(access), async (manager) => {
      const index = await manager.findOne(TableIndexEntity, {
        where: { id: indexId, tableId, state: Not('dropping') },
        lock: { mode: 'pessimistic_write' },
      });
      if (!index || isAtRest(index, meta.tableSchema)) throw notFound('index');
      await manager.update(TableIndexEntity, indexId, { state: 'dropping', attempts: 0, nextAt: new Date() });
      const plan = planOf(index, meta.tableSchema);
      return {
        result: undefined,
        audit: [
          indexAudit(
            access.workspaceId,
            indexId,
            'index.deleted',
            plan ? nameOf(plan) : '',
            plan ? view(tableId, plan) : undefined,
          ),
        ],
        events: [changed(tableId)],
      };
    });
  }
}

/** Request → plan. */
function requestedPlan(table: TableSchema, { kind = 'sort', columns, unique = false }: CreateIndexDto): IndexPlan {
  const seen = new Set<ColumnSchema>();
  const keys = columns.map((input, i) => {
    const { column, at } = requestedColumn(table, input, `/columns/${i}`);
    if (seen.has(column)) throw refuse(at, 'duplicate_key', `${column.key} occurs twice.`);
    seen.add(column);
    // Values are compared, not their order.
    if (!isIndexable(column, unique ? 'filter' : kind))
      throw refuse(
        at,
        'not_indexable',
        `An index of the kind ${kind} cannot have a column of the type ${column.type}.`,
      );
    return { column, dir: input.dir ?? 'asc' };
  });
  if (kind === 'search' && keys.length > 1)
    throw refuse('/columns', 'too_many_columns', 'An index for searches has one column.');
  if (!unique) return forwards({ kind, keys });
  if (kind !== 'sort') throw refuse('/unique', 'invalid_option', 'Only an index of the kind sort can be unique.');
  return forwards({ kind, keys, unique });
}

function requestedColumn(
  table: TableSchema,
  { columnId, field }: CreateIndexDto['columns'][number],
  pointer: string,
): { readonly column: ColumnSchema; readonly at: string } {
  if (columnId === undefined && field === undefined)
    throw refuse(pointer, 'column_missing', 'Name the column by columnId or field.');
  const at = `${pointer}/${field === undefined ? 'columnId' : 'field'}`;
  const column = field === undefined ? table.columns.find(({ id }) => id === columnId) : columnByKey(table, field);
  if (!column) throw refuse(at, 'unknown_field', `There is no column ${JSON.stringify(field ?? columnId)}.`);
  // Lists and advice name it in both ways, and what they say can be sent as it is.
  if (columnId !== undefined && columnId !== column.id)
    throw refuse(
      `${pointer}/columnId`,
      'column_mismatch',
      `This is not the id of the column ${JSON.stringify(field)}.`,
    );
  return { column, at };
}

const refuse = (pointer: string, code: string, detail: string): Problem => invalid([{ pointer, code, detail }]);

/** Two kinds may come to the same in PostgreSQL; what counts is what would be built. */
function mustBeNew(wanted: IndexPlan, others: readonly TableIndexEntity[], table: TableSchema): void {
  const definition = definitionOf(wanted);
  const same = others.find((index) => {
    const plan = planOf(index, table);
    return plan !== undefined && definitionOf(plan) === definition;
  });
  if (!same) return;
  throw new Problem('conflict', {
    detail: `The same index is there already (${shownState(same)}).`,
    extra: { indexId: same.id },
  });
}

function newIndex({ id, baseId, schemaVersion }: TableEntity, plan: IndexPlan, createdBy: Id | null): TableIndexEntity {
  const now = new Date();
  return {
    id: newId(),
    tableId: id,
    baseId,
    kind: plan.kind,
    unique: plan.unique ?? false,
    columns: plan.keys.map(({ column, dir }) => ({ columnId: column.id, dir })),
    state: 'pending',
    error: null,
    definition: definitionOf(plan),
    checkedVersion: schemaVersion,
    attempts: 0,
    nextAt: now,
    leasedBy: null,
    leaseUntil: null,
    createdBy,
    createdAt: now,
  };
}

const nameOf = ({ keys }: IndexPlan): string => keys.map(({ column }) => column.key).join(', ');
/** With all that it takes to make it again. */
const view = (tableId: Id, plan: IndexPlan): object => ({
  tableId,
  kind: plan.kind,
  unique: plan.unique ?? false,
  columns: fieldsOf(plan),
});

/** Whichever node comes first does what there is to do. */
const changed = (tableId: Id): OutboxEvent => ({ topic: 'index.changed', payload: { tableId } });
