import { Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import { newId, notFound, Problem, type Access, type Id } from '../../../../../common/index.js';
import { actorOf, AuditedTransaction, type AuditEntry, type OutboxEvent } from '../../../../../database/main/index.js';
import { beginBackfill } from '../../../../../query/index.js';
import { indexesAskedFor } from '../../../indexes/indexes-of-column.js';
import { BaseDraft } from '../../../schema/base-draft.js';
import { SchemaSaga, type SchemaChange } from '../../../schema/schema-saga.js';
import { SchemaOpEntity } from '../../../schema/schema-op.entity.js';
import { contextOf, randomSuffix } from '../../../schema/structure.js';
import { TableCatalog } from '../../../table-catalog.js';
import { findColumn } from '../../change-column.js';
import type { ColumnEntity } from '../../column.entity.js';
import type { Seen } from '../confirmation.js';
import type { ColumnConversionDto, ConvertColumnDto } from '../convert.dto.js';
import { uniqueIndexesAfter } from '../converted-indexes.js';
import { conversionOf } from '../planned-conversion.js';
import { targetOf } from '../target-of.js';
import { ColumnConversionEntity, UNDER_WAY } from './column-conversion.entity.js';
import { mustBeAtRest } from './must-be-at-rest.js';
import { toConversionDto } from './to-conversion-dto.js';

/** Conversions of large tables: begun and cancelled by people, done by {@link ConversionWorker}. */
@Injectable()
export class BackgroundConversions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
    private readonly catalog: TableCatalog,
    private readonly saga: SchemaSaga,
  ) {}

  /**
   * From here on each write of the column is converted as well; the worker does the rest.
   * @throws Problem `not_found`, `validation_failed`, `schema_busy`
   */
  async begin(
    access: Access,
    tableId: Id,
    columnId: Id,
    request: ConvertColumnDto,
    seen: Seen,
  ): Promise<ColumnConversionDto> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind: 'column.convert.begin',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager): Promise<SchemaChange<ColumnConversionDto>> => {
        const draft = await BaseDraft.read(manager, baseId);
        const { table, columns } = draft.table(tableId);
        const column = findColumn(columns, columnId);
        await mustBeAtRest(manager, columnId);
        const target = targetOf(column, request.to.type, seen.options);
        const { conversion } = conversionOf(draft, column, target);
        const begun = newConversion(access, column, baseId, request, seen);
        // What shows the column elsewhere must agree, now and once more in the end.
        draft.exchangeColumn(target, undefined, () => []);
        uniqueIndexesAfter(await indexesAskedFor(manager, tableId), conversion);
        return {
          schema: draft.schemaName,
          statements: beginBackfill({ ...conversion, hidden: begun.hiddenName, trigger: begun.triggerName }),
          patch: {
            // Unchanged; but builders of indexes give way to changes of their table.
            tables: [table],
            conversions: [begun],
            audit: [conversionAudit(access.workspaceId, column, 'column.conversion_started', begun)],
            events: [changed(tableId)],
          },
          result: toConversionDto(begun),
        };
      },
    });
  }

  /** The latest one of the column. @throws Problem `not_found` there was none */
  async find(tableId: Id, columnId: Id): Promise<ColumnConversionDto> {
    const { columns } = await this.catalog.fresh(tableId);
    findColumn(columns, columnId);
    const conversion = await this.dataSource.manager.findOne(ColumnConversionEntity, {
      where: { columnId },
      order: { createdAt: 'DESC', id: 'DESC' },
    });
    if (!conversion) throw notFound('conversion');
    return toConversionDto(conversion);
  }

  /**
   * The column stays as it is. What was begun is taken back in the background.
   * @throws Problem `not_found` there was none
   * @throws Problem `conflict` it is over, or being taken back already, or its column is just being put in its place
   */
  async cancel(access: Access, tableId: Id, columnId: Id): Promise<ColumnConversionDto> {
    const { columns, baseId } = await this.catalog.fresh(tableId);
    const column = findColumn(columns, columnId);
    return this.transaction.run(actorOf(access), async (manager) => {
      const conversion = await manager.findOne(ColumnConversionEntity, {
        where: { columnId, state: In(UNDER_WAY) },
        lock: { mode: 'pessimistic_write' },
      });
      if (!conversion) throw await nothingToCancel(manager, columnId);
      if (conversion.state !== 'converting') throw tooLate('It has ended already, and is just being taken back.');
      // Behind the lock: the exchange is recorded under the same one, so it sees the cancellation or is seen here.
      if (await isBeingExchanged(manager, baseId, conversion.id))
        throw tooLate('The column is just being given its new type. Look at the conversion again in a moment.');
      const stopping: ColumnConversionEntity = { ...conversion, ...STOPPED, nextAt: new Date() };
      await manager.save(ColumnConversionEntity, stopping);
      return {
        result: toConversionDto(stopping),
        audit: [conversionAudit(access.workspaceId, column, 'column.conversion_cancelled', conversion)],
        events: [changed(tableId)],
      };
    });
  }
}

const tooLate = (detail: string): Problem => new Problem('conflict', { detail });

async function nothingToCancel(manager: EntityManager, columnId: Id): Promise<Problem> {
  const isThere = await manager.existsBy(ColumnConversionEntity, { columnId });
  return isThere ? tooLate('The conversion is over already.') : notFound('conversion');
}

/** Whether the structure change is under way that ends the conversion: it takes place as recorded, or fails and is begun anew. */
async function isBeingExchanged(manager: EntityManager, baseId: Id, conversionId: Id): Promise<boolean> {
  const op = await manager.findOneBy(SchemaOpEntity, { baseId, state: 'pending' });
  return op?.payload.patch.conversions?.some(({ id }) => id === conversionId) ?? false;
}

const STOPPED = {
  state: 'stopping',
  error: { code: 'cancelled', detail: 'Somebody cancelled it.' },
  attempts: 0,
} as const;

function newConversion(
  access: Access,
  column: ColumnEntity,
  baseId: Id,
  { to, onError = 'abort', acceptChanges = false }: ConvertColumnDto,
  { options, rows, failing }: Seen,
): ColumnConversionEntity {
  const now = new Date();
  const suffix = randomSuffix();
  return {
    id: newId(),
    tableId: column.tableId,
    baseId,
    columnId: column.id,
    toType: to.type,
    toOptions: options,
    onError,
    mostLost: onError === 'null' && acceptChanges && !column.required ? null : String(failing),
    hiddenName: `_new_${column.key.slice(0, 48)}_${suffix}`,
    triggerName: `_cv_${column.key.slice(0, 48)}_${suffix}`,
    state: 'converting',
    error: null,
    lastRow: null,
    rows: String(rows),
    rowsDone: '0',
    attempts: 0,
    nextAt: now,
    // Done in the end whatever becomes of the account meanwhile.
    actor: { ...actorOf(access), held: undefined },
    context: contextOf(access),
    createdAt: now,
    finishedAt: null,
  };
}

export const conversionAudit = (
  workspaceId: Id,
  { id, name }: Pick<ColumnEntity, 'id' | 'name'>,
  action: `column.conversion_${'started' | 'cancelled' | 'failed'}`,
  { toType, onError, error }: ColumnConversionEntity,
): AuditEntry => ({
  workspaceId,
  action,
  resource: { type: 'column', id, name },
  after: { to: toType, onError, ...(error ? { error: error.code } : {}) },
});

/** Whichever node comes first does what there is to do. */
const changed = (tableId: Id): OutboxEvent => ({ topic: 'conversion.changed', payload: { tableId } });
