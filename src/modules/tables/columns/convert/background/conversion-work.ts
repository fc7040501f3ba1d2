import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { must, rowsInTheWay, type Id, type Problem, type ProblemItem } from '../../../../../common/index.js';
import { faultPoint } from '../../../../../config/index.js';
import { AuditedTransaction, MainDatabase } from '../../../../../database/main/index.js';
import { MiniDbSchema, type RowConditions } from '../../../../../engines/index.js';
import {
  catchUp,
  convertedCell,
  countLost,
  dropColumns,
  endBackfill,
  fillNext,
  lockTable,
  swapColumn,
  tryConversion,
  validateHiddenCheck,
  withTimeout,
  type Backfill,
} from '../../../../../query/index.js';
import { BaseEntity } from '../../../bases/base.entity.js';
import { indexesAskedFor } from '../../../indexes/indexes-of-column.js';
import { keptRules } from '../../../rules/kept-rules.js';
import { mustShowNoMore } from '../../../rules/shown-by-conversion.js';
import { BaseDraft } from '../../../schema/base-draft.js';
import { SchemaSaga, type SchemaChange } from '../../../schema/schema-saga.js';
import { readStructure, type Structure } from '../../../schema/structure.js';
import { TableEntity } from '../../../tables/table.entity.js';
import { toColumnSchema } from '../../../tables/table-schema.js';
import { findColumn } from '../../change-column.js';
import { ColumnEntity } from '../../column.entity.js';
import { stale } from '../confirmation.js';
import { remadeIndexes, uniqueAfter, uniqueIndexesAfter } from '../converted-indexes.js';
import { conversionOf, keptColumn, SAMPLES, valuesInTheWay } from '../planned-conversion.js';
import { targetOf } from '../target-of.js';
import { conversionAudit } from './background-conversions.service.js';
import { ColumnConversionEntity, type ConversionFailure } from './column-conversion.entity.js';

/** A statement that fills so many rows holds their locks for about a tenth of a second. */
const BATCH_ROWS = 2_000;
/** The exchange looks at every row while nobody writes; below the time after which the client gives a statement up. */
const TIMEOUT_SECONDS = 30;

/** The steps of a conversion in the background. Each may be repeated, whatever became of it before. */
@Injectable()
export class ConversionWork {
  constructor(
    private readonly dataSource: DataSource,
    private readonly main: MainDatabase,
    private readonly transaction: AuditedTransaction,
    private readonly saga: SchemaSaga,
    private readonly mini: MiniDbSchema,
  ) {}

  /**
   * Fills rows until all are filled, or the time is over.
   * @returns whether all are
   * @throws Problem `rows_in_the_way` a value that cannot be converted, where none may be lost
   */
  async fill(conversion: ColumnConversionEntity, goOn: () => boolean): Promise<boolean> {
    const { backfill, target } = await this.plan(conversion);
    let { lastRow } = conversion;
    let rowsDone = Number(conversion.rowsDone);
    while (goOn()) {
      const begun = performance.now();
      const [row] = await this.mini.look(fillNext(backfill, lastRow, BATCH_ROWS));
      const [last, count, lost] = must(row, 'one row');
      if (Number(lost) > 0 && conversion.mostLost === '0') throw await this.inTheWay(backfill, target);
      await faultPoint('conversion.filled');
      if (last === null) {
        for (const statement of validateHiddenCheck(backfill.table, backfill.to))
          await this.mini.validate(backfill.table.physical.schema, statement);
        await this.mustBeUnique(conversion, backfill);
        return true;
      }
      lastRow = last ?? null;
      rowsDone += Number(count);
      if (!(await this.note(conversion.id, { lastRow, rowsDone: String(rowsDone), attempts: 0 }))) return false;
      // A third of the time belongs to others.
      await new Promise((resolve) => setTimeout(resolve, (performance.now() - begun) / 2));
    }
    return false;
  }

  /**
   * Puts the filled column into its place, with what is demanded of it, as one structure change.
   * @throws Problem `rows_in_the_way`, `unique_violation`, `validation_failed`, `schema_busy`; `not_found` the table or its base is in the trash
   */
  async exchange({ id, baseId, tableId, columnId, actor, context }: ColumnConversionEntity): Promise<void> {
    await this.saga.run({
      kind: 'column.convert',
      baseId,
      workspaceId: await this.workspaceOf(tableId),
      actor,
      plan: async (manager): Promise<SchemaChange<undefined>> => {
        const conversion = await inState(manager, id, 'converting');
        const draft = await BaseDraft.read(manager, baseId);
        const column = findColumn(draft.table(tableId).columns, columnId);
        await mustShowNoMore(manager, draft, column);
        const target = targetOf(column, conversion.toType, conversion.toOptions);
        const planned = conversionOf(draft, column, target);
        const backfill = { ...planned.conversion, hidden: conversion.hiddenName, trigger: conversion.triggerName };
        const kept = keptColumn(column);
        const ruled = await keptRules(manager, column, kept);
        if (ruled) draft.changeRules(ruled);
        const { table, from, to } = backfill;
        const unique = uniqueIndexesAfter(await indexesAskedFor(manager, tableId), backfill);
        draft.exchangeColumn(target, kept, () => [
          withTimeout(TIMEOUT_SECONDS),
          ...catchUp(backfill),
          ...endBackfill(backfill),
          ...swapColumn(table, from, to, backfill.hidden, toColumnSchema(kept), { checked: true }),
          ...remadeIndexes(table, unique),
        ]);
        const { patch, ...change } = draft.finish(context);
        const finished: ColumnConversionEntity = { ...conversion, state: 'done', finishedAt: new Date() };
        return {
          ...change,
          patch: { ...patch, conversions: [finished] },
          conditions: conditionsOf(backfill, conversion, target),
          result: undefined,
        };
      },
    });
  }

  /** Leaves the column as it is: {@link takeBack} is to follow. */
  async stop({ id }: ColumnConversionEntity, error: ConversionFailure): Promise<void> {
    await this.note(id, { state: 'stopping', error, attempts: 0, nextAt: new Date() });
  }

  /** Whether the column went to the trash, with what it was computed from, while its table is there. */
  async hasNoColumn({ tableId, columnId, baseId }: ColumnConversionEntity): Promise<boolean> {
    const { manager } = this.dataSource;
    const [column, table, base] = await Promise.all([
      manager.existsBy(ColumnEntity, { id: columnId, deletedAt: IsNull() }),
      manager.existsBy(TableEntity, { id: tableId, deletedAt: IsNull() }),
      manager.existsBy(BaseEntity, { id: baseId, deletedAt: IsNull() }),
    ]);
    return !column && table && base;
  }

  /** To be tried again after so many seconds. */
  async postpone({ id, attempts }: ColumnConversionEntity, seconds: number): Promise<void> {
    const nextAt = new Date(Date.now() + seconds * 1_000);
    await this.transaction.withoutAudit((manager) =>
      manager.update(ColumnConversionEntity, { id }, { attempts: attempts + 1, nextAt }),
    );
  }

  /** Removes what was begun, also of a table that is in the trash by now. */
  async takeBack({ id, baseId, tableId, columnId, actor }: ColumnConversionEntity): Promise<void> {
    const workspaceId = await this.workspaceOf(tableId);
    await this.saga.run({
      kind: 'column.convert.take_back',
      baseId,
      workspaceId,
      actor,
      plan: async (manager): Promise<SchemaChange<undefined>> => {
        const conversion = await inState(manager, id, 'stopping');
        const { base, schema } = await readStructureAnyway(manager, tableId);
        const column = must(await manager.findOneBy(ColumnEntity, { id: columnId }), 'it goes with its column');
        const finished: ColumnConversionEntity = {
          ...conversion,
          state: conversion.error?.code === 'cancelled' ? 'cancelled' : 'failed',
          finishedAt: new Date(),
        };
        return {
          schema: base.schemaName,
          statements: [
            ...endBackfill({ table: schema, trigger: conversion.triggerName }),
            dropColumns(schema, [conversion.hiddenName]),
          ],
          patch: {
            conversions: [finished],
            audit: [conversionAudit(workspaceId, column, 'column.conversion_failed', finished)],
            events: [],
          },
          result: undefined,
        };
      },
    });
  }

  private async plan(
    conversion: ColumnConversionEntity,
  ): Promise<{ readonly backfill: Backfill; readonly target: ColumnEntity }> {
    const { schema, columns } = await this.main.snapshot((manager) => readStructure(manager, conversion.tableId));
    const column = findColumn(columns, conversion.columnId);
    const target = targetOf(column, conversion.toType, conversion.toOptions);
    const from = must(
      schema.columns.find(({ id }) => id === column.id),
      'a column of the table',
    );
    const { hiddenName: hidden, triggerName: trigger } = conversion;
    return { backfill: { table: schema, from, to: toColumnSchema(target), hidden, trigger }, target };
  }

  /**
   * Looked at before the lock, to name the rows; behind it the indexes themselves decide.
   * @throws Problem `rows_in_the_way` values that several rows would have
   */
  private async mustBeUnique({ tableId }: ColumnConversionEntity, backfill: Backfill): Promise<void> {
    const indexes = await indexesAskedFor(this.dataSource.manager, tableId);
    const filled = { ...backfill, to: { ...backfill.to, physical: backfill.hidden } };
    const errors: ProblemItem[] = [];
    for (const { look, judge } of uniqueAfter(filled, uniqueIndexesAfter(indexes, backfill)))
      errors.push(...judge(await this.mini.look(look)));
    if (errors.length > 0) throw rowsInTheWay(errors);
  }

  /** All of them, since it is over anyway. */
  private async inTheWay(backfill: Backfill, target: ColumnEntity): Promise<Problem> {
    const converted = must(convertedCell(backfill, 't'), 'the types convert');
    const [row] = await this.mini.look(tryConversion(backfill, converted, SAMPLES));
    const item = valuesInTheWay(Number(row?.[2] ?? 0), row?.[3], target);
    return rowsInTheWay([item]);
  }

  private async workspaceOf(tableId: Id): Promise<Id> {
    const table = await this.dataSource.manager.findOneBy(TableEntity, { id: tableId });
    return must(table, 'it goes with its table').workspaceId;
  }

  /** @returns false when it was stopped or ended by others meanwhile */
  private async note(id: Id, change: Partial<ColumnConversionEntity>): Promise<boolean> {
    const { affected } = await this.transaction.withoutAudit((manager) =>
      manager.update(ColumnConversionEntity, { id, state: 'converting' }, change),
    );
    return affected === 1;
  }
}

/** Somebody else was first: it is in another state by now. */
export class ConversionMovedOn extends Error {}

/** Locked until the structure change is recorded: who cancels has been there before, or finds that change. */
async function inState(
  manager: EntityManager,
  id: Id,
  state: ColumnConversionEntity['state'],
): Promise<ColumnConversionEntity> {
  const conversion = await manager.findOne(ColumnConversionEntity, {
    where: { id, state },
    lock: { mode: 'pessimistic_write' },
  });
  if (!conversion) throw new ConversionMovedOn();
  return conversion;
}

/** A table of a base that is there, itself in the trash or not. */
async function readStructureAnyway(manager: EntityManager, tableId: Id): Promise<Structure> {
  const table = must(await manager.findOneBy(TableEntity, { id: tableId }), 'it goes with its table');
  return readStructure(manager, tableId, { deleted: table.deletedAt !== null });
}

/** Looked at behind the lock, when all rows are filled: people go on writing after the dry run. */
const conditionsOf = (
  backfill: Backfill,
  { mostLost }: ColumnConversionEntity,
  target: ColumnEntity,
): RowConditions => ({
  lock: lockTable(backfill.table, 'access exclusive'),
  checks:
    mostLost === null
      ? []
      : [
          {
            look: countLost(backfill),
            judge: ([row]) => {
              const lost = Number(row?.[0] ?? 0);
              if (lost <= Number(mostLost)) return [];
              if (mostLost === '0') return [valuesInTheWay(lost, null, target)];
              throw stale(`${lost} values cannot be converted by now; ${mostLost} were confirmed.`);
            },
          },
        ],
});
