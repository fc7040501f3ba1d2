import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, Not } from 'typeorm';
import { must, newId, Problem, type Id } from '../../../common/index.js';
import { faultPoint } from '../../../config/index.js';
import {
  AuditedTransaction,
  isUniqueViolation,
  REPEATABLE_MS,
  type Actor,
  type AuditedManager,
  type RequestKey,
} from '../../../database/main/index.js';
import { AlreadyDecided, MiniDbSchema, type Copying, type RowConditions } from '../../../engines/index.js';
import type { Sql } from '../../../query/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import { writeRestored } from '../restore/restored-records.js';
import { NO_VIEWS, ViewsOfBases, type ViewWriter } from '../views-of-bases.js';
import { beforeAndAfter } from './before-and-after.js';
import { withClosedRules } from './closed-rules.js';
import { withReadableViews } from './readable-views.js';
import { SchemaOpEntity, type MetadataPatch } from './schema-op.entity.js';

/** A structure change, planned from the metadata as it is while nobody else may change the base. */
export interface SchemaChange<T> {
  /** Schema of the base in the mini-DB. */
  readonly schema: string;
  readonly statements: readonly Sql[];
  /** What the rows have to be like for it. */
  readonly conditions?: RowConditions;
  readonly patch: MetadataPatch;
  /** The statements make the schema: if its metadata can never be written (a name was taken meanwhile), it is dropped. */
  readonly makesSchema?: true;
  /** The statements copy rows, and may take minutes. */
  readonly copying?: Copying;
  /** Plain JSON: a repetition of the request gets it from the record of the operation. */
  readonly result: T;
}

export interface SchemaTask<T> {
  readonly kind: string;
  readonly baseId: Id;
  readonly workspaceId: Id;
  readonly actor: Actor;
  /** Reads and decides; throws a Problem to refuse. */
  readonly plan: (manager: EntityManager) => Promise<SchemaChange<T>>;
}

interface Begun<T> {
  readonly op: SchemaOpEntity;
  readonly change: SchemaChange<T>;
}

/** Of a request that was done before, and is repeated. */
interface Finished<T> {
  readonly finished: T;
}

/** A pending operation of the same base, and the operation of the same request. */
const IN_THE_WAY = ['schema_ops_one_pending', 'schema_ops_operation'];
const WAIT_MS = 10_000;
/** The steps tell each other through the databases how far they are, so none of them can wait for the end of the request. */
const COMMITTED_AT_ONCE = { apart: true } as const;

/**
 * Changes a structure in two databases without a two-phase commit:
 *
 * 1. main: the operation is stored as pending, with the metadata as it will be. One pending operation a base: its row is the lock.
 * 2. mini: the statements and the operation's record, in one transaction. This is the commit point.
 * 3. main: the metadata is written, with audit and events, and the operation is done.
 *
 * Whoever finds a pending operation without its maker asks the mini-DB whether step 2 took place, and goes forward or gives up.
 */
@Injectable()
export class SchemaSaga {
  constructor(
    private readonly dataSource: DataSource,
    private readonly mainTransaction: AuditedTransaction,
    private readonly mini: MiniDbSchema,
    @Inject(ViewsOfBases) private readonly views: { readonly keeper: ViewWriter },
  ) {}

  /**
   * A request with an idempotency key is recognised when it is repeated: its operation is not done again, whenever its maker died.
   * @throws Problem `schema_busy` another change of the base did not end in time, or the table was in use all the time;
   * whatever `plan` throws
   */
  async run<T>(task: SchemaTask<T>): Promise<T> {
    const begun = await this.begin(task, this.mainTransaction.nextOperationKey());
    if ('finished' in begun) return begun.finished;
    const { op, change } = begun;
    await faultPoint('schema.recorded');
    try {
      await this.mini.apply(change.schema, op.id, change.statements, change);
    } catch (error) {
      // Also after a lost connection, when nobody knows whether the commit arrived: the mini-DB decides, once and for all.
      const outcome = await this.mini.settle(change.schema, op.id, { wait: true });
      if (outcome === 'cancelled') await this.giveUp(op.id, error);
      // What is still running without us is left to recovery.
      if (outcome !== 'applied') throw error instanceof AlreadyDecided ? tookTooLong() : error;
    }
    await faultPoint('schema.applied');
    await this.complete(op);
    await faultPoint('schema.finished');
    return change.result;
  }

  /**
   * Settles what is pending: what is past its commit point is completed, and what is older than this is decided now. One
   * that cannot be settled keeps none of the others from it.
   * @returns how many were settled
   */
  async recover(olderThanMs: number): Promise<number> {
    const pending = await this.dataSource.getRepository(SchemaOpEntity).findBy({ state: 'pending' });
    const outcomes = await Promise.allSettled(pending.map((op) => this.recoverOne(op, olderThanMs)));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} of ${pending.length} cannot be settled`);
    return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
  }

  private async recoverOne(op: SchemaOpEntity, olderThanMs: number): Promise<boolean> {
    const { schema } = op.payload;
    const abandoned = op.createdAt.getTime() < Date.now() - olderThanMs;
    if (!abandoned) {
      const applied = await this.mini.isApplied(schema, op.id);
      if (applied) await this.complete(op);
      return applied;
    }
    const outcome = await this.mini.settle(schema, op.id, { wait: false });
    if (outcome === 'applied') await this.complete(op);
    if (outcome === 'cancelled') await this.giveUp(op.id, new Error('its maker is gone'));
    return outcome !== 'running';
  }

  /**
   * Finishes the base's pending operation if it is past its commit point: its maker may have died there, and until the
   * metadata is written too, everybody who knows the old one is refused. Never decides anything, so it is safe at any time.
   */
  async catchUp(baseId: Id): Promise<void> {
    const op = await this.dataSource.getRepository(SchemaOpEntity).findOneBy({ baseId, state: 'pending' });
    if (op && (await this.mini.isApplied(op.payload.schema, op.id))) await this.complete(op);
  }

  /** Step 3. Where it is impossible for good, nothing of the operation may stay. */
  private async complete(op: SchemaOpEntity): Promise<void> {
    try {
      await this.finish(op);
    } catch (error) {
      const givenUp = error instanceof GivenUp;
      if (!givenUp && !isUniqueViolation(error)) throw error;
      // What was there is gone from the mini-DB: the operation stays, for whoever frees the name that was taken meanwhile.
      if (op.payload.patch.restored && !op.payload.makesSchema) throw error;
      await this.giveUp(op.id, error);
      if (op.payload.makesSchema) await this.mini.drop(op.payload.schema);
      throw givenUp ? tookTooLong() : error;
    }
  }

  private async begin<T>(task: SchemaTask<T>, key: RequestKey | undefined): Promise<Begun<T> | Finished<T>> {
    for (const deadline = Date.now() + WAIT_MS; ;) {
      try {
        // Bookkeeping of the saga, not yet a change of metadata: that one is audited in finish().
        return await this.mainTransaction.withoutAudit((manager) => this.record(manager, task, key));
      } catch (error) {
        if (!IN_THE_WAY.some((constraint) => isUniqueViolation(error, constraint))) throw error;
        // What is in the way may be one's own: PostgreSQL names one of two constraints only.
        const finished = key && (await this.finishedBefore<T>(key));
        if (finished) return finished;
        await this.catchUp(task.baseId);
        if (Date.now() > deadline)
          throw new Problem('schema_busy', {
            detail: 'Another change of this base is still under way. Try again in a moment.',
            headers: { 'retry-after': '2' },
          });
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
      }
    }
  }

  private async record<T>(
    manager: AuditedManager,
    task: SchemaTask<T>,
    key: RequestKey | undefined,
  ): Promise<Begun<T>> {
    const op: SchemaOpEntity = {
      id: newId(),
      baseId: task.baseId,
      workspaceId: task.workspaceId,
      kind: task.kind,
      payload: { schema: '', patch: { audit: [] as never, events: [] } },
      // Completed whatever becomes of the account meanwhile: the decision fell in the mini-DB.
      actor: { ...task.actor, held: undefined },
      operationKey: key?.name ?? null,
      state: 'pending',
      error: null,
      createdAt: new Date(),
      finishedAt: null,
    };
    // First the lock, then the look: what plan() reads cannot change any more.
    await manager.insert(SchemaOpEntity, op);
    const change = await whole(manager, await task.plan(manager));
    const { schema, patch, makesSchema } = change;
    const repeat = key && { request: key.request.toString('hex'), result: JSON.stringify(change.result) };
    const payload = { schema, patch, ...(makesSchema ? { makesSchema } : {}), ...(repeat ? { repeat } : {}) };
    await manager.update(SchemaOpEntity, op.id, { payload });
    await faultPoint('schema.recording');
    return { op: { ...op, payload }, change };
  }

  /**
   * What became of the operation of a request that is repeated. Undefined when there is none any more, and it may be done. One that
   * is pending has no maker: two requests of one key never run at once. So what it left behind is decided here.
   */
  private async finishedBefore<T>({ name, request }: RequestKey): Promise<Finished<T> | undefined> {
    const op = await this.dataSource
      .getRepository(SchemaOpEntity)
      .findOneBy({ operationKey: name, state: Not('failed') });
    if (!op) return undefined;
    if (op.createdAt.getTime() < Date.now() - REPEATABLE_MS) {
      await this.mainTransaction.withoutAudit((manager) =>
        manager.update(SchemaOpEntity, { id: op.id }, { operationKey: null }),
      );
      return undefined;
    }
    const repeat = must(op.payload.repeat, 'an operation with a key can be repeated');
    if (repeat.request !== request.toString('hex')) throw new Problem('idempotency_mismatch');
    if (op.state === 'pending') {
      await this.recoverOne(op, 0);
      return undefined;
    }
    return { finished: (repeat.result === undefined ? undefined : JSON.parse(repeat.result)) as T };
  }

  private async finish(op: SchemaOpEntity): Promise<void> {
    const { patch } = op.payload;
    try {
      await this.mainTransaction.run(
        op.actor,
        async (manager) => {
          const { affected } = await manager.update(
            SchemaOpEntity,
            { id: op.id, state: 'pending' },
            { state: 'done', finishedAt: new Date() },
          );
          if (affected !== 1) throw (await isGivenUp(manager, op.id)) ? new GivenUp() : new AlreadyFinished();
          if (patch.restored) await writeRestored(manager, patch.restored);
          for (const base of patch.bases ?? []) await manager.upsert(BaseEntity, base, ['id']);
          for (const table of patch.tables ?? []) await manager.upsert(TableEntity, table, ['id']);
          if (patch.columns?.length) await manager.upsert(ColumnEntity, [...patch.columns], ['id']);
          for (const each of patch.rules ?? []) await manager.upsert(TableRulesEntity, each, ['tableId']);
          for (const each of patch.conversions ?? []) await manager.upsert(ColumnConversionEntity, each, ['id']);
          const { removed } = patch;
          if (removed?.columns?.length) await manager.delete(ColumnEntity, { id: In([...removed.columns]) });
          if (removed?.tables?.length) await manager.delete(TableEntity, { id: In([...removed.tables]) });
          const views = patch.views === undefined ? NO_VIEWS : await this.views.keeper.write(manager, patch.views);
          await faultPoint('schema.finishing');
          return {
            result: undefined,
            audit: [...patch.audit, ...views.audit],
            events: [...patch.events, ...views.events],
          };
        },
        COMMITTED_AT_ONCE,
      );
    } catch (error) {
      // Recovery on another node was quicker; what it wrote is what we would have written.
      if (!(error instanceof AlreadyFinished)) throw error;
    }
  }

  private async giveUp(opId: Id, why: unknown): Promise<void> {
    const error = why instanceof Error ? why.name : 'unknown';
    await this.mainTransaction.withoutAudit((manager) =>
      manager.update(
        SchemaOpEntity,
        { id: opId, state: 'pending' },
        { state: 'failed', error, finishedAt: new Date() },
      ),
    );
  }
}

/** With what follows from it in the base, of which use cases need not think. */
async function whole<T>(manager: EntityManager, change: SchemaChange<T>): Promise<SchemaChange<T>> {
  const both = await beforeAndAfter(manager, change.schema, change.patch);
  return both ? withClosedRules(manager, withReadableViews(change, both), both) : change;
}

const isGivenUp = (manager: EntityManager, opId: Id): Promise<boolean> =>
  manager.existsBy(SchemaOpEntity, { id: opId, state: 'failed' });

class AlreadyFinished extends Error {}

/** Recovery gave the operation up while its maker still worked on it: it found no schema that could have told it otherwise. */
class GivenUp extends Error {}

const tookTooLong = (): Problem =>
  new Problem('schema_busy', {
    detail: 'The change took too long and was given up. Try again.',
    headers: { 'retry-after': '2' },
  });
