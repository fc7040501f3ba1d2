import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { must, Problem } from '../../../common/index.js';
import { MainDatabase } from '../../../database/main/index.js';
import { indexFailure, IndexInTheWay, MiniDbIndexes } from '../../../engines/index.js';
import { canBeBuilt } from '../../../query/index.js';
import { EventBus } from '../../events/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { readStructure } from '../schema/structure.js';
import { IndexQueue, type IndexJob } from './index-queue.js';
import { IndexUpkeep } from './index-upkeep.js';
import { definitionOf, planOf } from './planned-index.js';

const SWEEP_EVERY_MS = 5_000;
/** Far more often than the lease ends: a structure change waits only a few seconds for the table, and should get it. */
const BEAT_EVERY_MS = 1_000;
const MAX_ATTEMPTS = 8;
/** Seconds until the next try: 2, 4, 8 … up to ten minutes. */
const waitAfter = (attempts: number): number => Math.min(2 ** attempts, 600);
/** A structure change that was given way to is over by then. */
const GIVE_WAY_SECONDS = 3;

/**
 * Builds and drops the indexes that are asked for, one after the other, apart from any request. Several nodes share the work; what
 * one leaves behind when it dies, another does again from the beginning. Gives way to structure changes of the same table, which
 * would otherwise have to wait for the whole build.
 */
@Injectable()
export class IndexWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Indexes');
  private timer: NodeJS.Timeout | undefined;
  private stopListening: readonly (() => void)[] = [];
  private working: Promise<void> | undefined;
  private woken = false;
  private readonly stop = new AbortController();

  constructor(
    private readonly queue: IndexQueue,
    private readonly upkeep: IndexUpkeep,
    private readonly indexes: MiniDbIndexes,
    private readonly dataSource: DataSource,
    private readonly database: MainDatabase,
    private readonly bus: EventBus,
  ) {}

  onApplicationBootstrap(): void {
    // Of a structure change only to be sooner: the sweep finds it, too.
    this.stopListening = (['index.changed', 'schema.changed'] as const).map((topic) =>
      this.bus.on(topic, () => void this.work()),
    );
    this.timer = setInterval(() => void this.work(), SWEEP_EVERY_MS);
    this.timer.unref();
    void this.work();
  }

  /** What is being built is cancelled, and waits for another node or the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    clearInterval(this.timer);
    for (const stop of this.stopListening) stop();
    await this.working;
  }

  /** Does all that is due, and settles when there is nothing left. */
  work(): Promise<void> {
    this.woken = true;
    return (this.working ??= this.workAll().finally(() => (this.working = undefined)));
  }

  private async workAll(): Promise<void> {
    try {
      // Asked for between an empty answer and the end of this loop: looked for once more.
      while (this.woken && !this.stop.signal.aborted) {
        this.woken = false;
        await this.upkeep.run();
        for (let job = await this.next(); job; job = await this.next()) await this.do(job);
      }
    } catch (error) {
      // The main database is away; health says so, and the next sweep tries again.
      this.logger.debug({ msg: 'Indexes cannot be looked at', err: error });
    }
  }

  private async next(): Promise<IndexJob | undefined> {
    return this.stop.signal.aborted ? undefined : this.queue.claim();
  }

  private async do(job: IndexJob): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([lost.signal, this.stop.signal]);
    // While the main database does not answer, the work goes on: nobody else could take it over either.
    const beat = setInterval(() => {
      this.queue.prolong(job).then(
        (ours) => (ours ? undefined : lost.abort()),
        () => undefined,
      );
    }, BEAT_EVERY_MS);
    try {
      await (job.index.state === 'building' ? this.build(job, signal) : this.drop(job, signal));
    } catch (error) {
      await this.settle(job, error, signal.aborted);
    } finally {
      clearInterval(beat);
    }
  }

  private async build(job: IndexJob, signal: AbortSignal): Promise<void> {
    const { index } = job;
    const { schema, table } = await this.database.snapshot((manager) => readStructure(manager, index.tableId));
    const plan = planOf(index, schema);
    // Its column went away just now; the upkeep sees to it.
    if (!plan) throw new IndexInTheWay();
    if (!canBeBuilt(plan)) {
      await this.indexes.drop(schema.physical.schema, index.tableId, index.id, signal);
      await this.queue.fail(job, 'not_indexable');
      return;
    }
    const definition = definitionOf(plan);
    await this.queue.begin(job, definition, table.schemaVersion);
    await this.indexes.build(schema, index.id, plan, index.definition === definition, signal);
    await this.queue.ready(job);
  }

  private async drop(job: IndexJob, signal: AbortSignal): Promise<void> {
    const { baseId, tableId, id, state } = job.index;
    const base = must(
      await this.dataSource.manager.findOneBy(BaseEntity, { id: baseId }),
      'an index goes with its base (foreign key)',
    );
    await this.indexes.drop(base.schemaName, tableId, id, signal);
    await (state === 'resting' ? this.queue.laidToRest(job) : this.queue.remove(job));
  }

  private async settle(job: IndexJob, error: unknown, interrupted: boolean): Promise<void> {
    const { id, attempts, state } = job.index;
    const inTheWay = error instanceof IndexInTheWay || (error instanceof Problem && error.code === 'not_found');
    if (interrupted || inTheWay) {
      await this.queue.postpone(job, this.stop.signal.aborted ? 0 : GIVE_WAY_SECONDS, { counted: false });
      return;
    }
    const failure = indexFailure(error) ?? (attempts >= MAX_ATTEMPTS ? 'gave_up' : undefined);
    // What the rows do not allow is told to whoever asked for the index, and no matter of an operator's.
    const level = failure === 'not_unique' || failure === 'value_too_long' ? 'debug' : 'warn';
    this.logger[level]({
      msg: `An index could not be ${state === 'building' ? 'built' : 'dropped'}`,
      index: id,
      failure,
      err: error,
    });
    if (failure && state === 'building') await this.queue.fail(job, failure);
    else await this.queue.postpone(job, waitAfter(attempts), { counted: true });
  }
}
