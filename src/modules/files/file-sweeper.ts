import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { FailingTwice, Rounds } from '../../common/index.js';
import { MiniDbFiles, type RemovedFile } from '../../engines/index.js';
import { PhysicalColumns } from '../tables/index.js';
import { FILE_STORAGE, type FileStorage } from './storage/index.js';

const SWEEP_EVERY_MS = 10 * 60_000;
/** A base that some node swept in so many minutes is left alone by all. */
const RESTS_MINUTES = 9;
const BATCH = 100;

/**
 * Removes files that no row has held for a day, and what is left of uploads that never ended. In three steps, each of which may be the last
 * of a process and is found by the next sweep: no row holds it since …; it is on its way out, and nobody sees it any more; its bytes are
 * gone, and then its record. Two sweeps of one base at once do no harm.
 */
@Injectable()
export class FileSweeper implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Files');
  private readonly failing = new FailingTwice();
  private readonly rounds = new Rounds(
    () => this.sweep(),
    // The databases are away; health says so, and the next sweep tries again.
    (err) => this.logger.debug({ msg: 'Files cannot be swept', err }),
  );

  constructor(
    private readonly bases: PhysicalColumns,
    private readonly files: MiniDbFiles,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  onModuleInit(): void {
    this.rounds.begin({ everyMs: SWEEP_EVERY_MS });
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.end();
  }

  /** Sweeps the bases that have files and that nobody swept lately. What fails in one keeps none of the others from it. */
  async sweep(): Promise<void> {
    for (const schema of await this.bases.schemas()) {
      if (this.rounds.isEnding) return;
      try {
        if (!(await this.files.hasAny(schema)) || !(await this.files.claimSweep(schema, RESTS_MINUTES))) continue;
        await this.sweepBase(schema);
        this.failing.worked(schema);
      } catch (error) {
        // Such as a structure change in the middle; the next sweep tries again.
        this.logger[this.failing.again(schema) ? 'warn' : 'debug']({
          msg: 'The files of a base could not be swept',
          schema,
          err: error,
        });
      }
    }
  }

  /** Sweeps one base, now. */
  async sweepBase(schema: string): Promise<void> {
    const columns = await this.bases.ofType(schema, 'attachment');
    await this.files.mark(schema, columns);
    await this.files.expire(schema, columns);
    await this.removeBytes(schema);
  }

  private async removeBytes(schema: string): Promise<void> {
    for (let batch = await this.files.removed(schema, BATCH); batch.length > 0 && !this.rounds.isEnding;) {
      const failures = await this.removeAll(schema, batch);
      // Those that failed are at the end of the line now, for the next sweep.
      if (failures.length > 0) throw failures[0];
      batch = batch.length < BATCH ? [] : await this.files.removed(schema, BATCH);
    }
  }

  private async removeAll(schema: string, batch: readonly RemovedFile[]): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const { id, storageKey } of batch) {
      try {
        await this.storage.remove(storageKey);
        await this.files.forget(schema, id);
      } catch (error) {
        failures.push(error);
        await this.files.postpone(schema, id);
      }
    }
    return failures;
  }
}
