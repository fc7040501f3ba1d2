import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Problem, Rounds } from '../../../../common/index.js';
import { ImportTakenOver } from '../../../../engines/index.js';
import { EventBus } from '../../../events/index.js';
import { FILE_STORAGE, ObjectMissing, storageKey, type FileStorage } from '../../../files/index.js';
import type { Bytes } from '../file/row-file.js';
import { mayPass } from '../may-pass.js';
import type { ImportJobEntity } from './import-job.entity.js';
import { ImportJobs, type TakenImport } from './import-jobs.js';
import { ImportRuns } from './import-runs.js';

const EVERY_MS = 5_000;
/** In the background of one node; each holds a connection of its own. */
const AT_ONCE = 2;
const MAX_ATTEMPTS = 20;
/** Seconds until the next try: 2, 4, 8 … up to a minute. */
const waitAfter = (attempts: number): number => Math.min(2 ** attempts, 60);
const LEFTOVERS_AT_ONCE = 100;

const NOBODY_AT_IT = new Problem('bad_request', {
  detail:
    'Nobody works at this import any more: its server has ended. Send it again under its Idempotency-Key to go on behind what is written.',
});

/**
 * Works at imports in the background. Several nodes share them; what one leaves behind when it dies, another goes on with, behind what is
 * written. Also takes away the files of those that are over, and tells of those whose caller and node are both gone.
 */
@Injectable()
export class ImportWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Import');
  private readonly rounds = new Rounds(
    () => this.round(),
    // A database is away; health says so, and the next round tries again.
    (err) => this.logger.debug({ msg: 'Imports cannot be looked at', err }),
  );
  private readonly working = new Set<Promise<void>>();
  private taking: Promise<void> = Promise.resolve();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly jobs: ImportJobs,
    private readonly runs: ImportRuns,
    private readonly bus: EventBus,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.bus.on('import.queued', () => void this.takeQuietly());
    this.rounds.begin({ everyMs: EVERY_MS, firstMs: 0 });
  }

  /** What is under way is let go of; whoever takes it up goes on behind what is written. */
  async onModuleDestroy(): Promise<void> {
    this.stopListening?.();
    const rounds = this.rounds.end();
    this.runs.endStored(new Problem('overloaded', { detail: 'The server is being stopped.' }));
    await Promise.all([rounds, ...this.working]);
  }

  private async round(): Promise<void> {
    await this.jobs.noteInterrupted(NOBODY_AT_IT.body());
    for (const job of await this.jobs.leftovers(LEFTOVERS_AT_ONCE)) await this.tidy(job);
    await this.take();
  }

  private takeQuietly(): Promise<void> {
    return this.take().catch((err: unknown) => this.logger.debug({ msg: 'Imports cannot be taken up', err }));
  }

  private take(): Promise<void> {
    // One after the other, so that each sees how many there are.
    this.taking = this.taking.catch(() => undefined).then(() => this.takeWhatIsDue());
    return this.taking;
  }

  /** As many as there is room for. */
  private async takeWhatIsDue(): Promise<void> {
    while (this.working.size < AT_ONCE && !this.rounds.isEnding) {
      const taken = await this.jobs.claim();
      if (!taken) return;
      const work = this.workAt(taken).finally(() => {
        this.working.delete(work);
        // There may be more that waits for its turn.
        void this.takeQuietly();
      });
      this.working.add(work);
    }
  }

  /** Never rejects. */
  private async workAt(taken: TakenImport): Promise<void> {
    const { job } = taken;
    try {
      const key = storageKey(await this.jobs.schemaOf(job), job.id);
      await this.runs.run(taken, fromStorage(this.storage, key));
      await this.tidy(job);
    } catch (error) {
      await this.settle(taken, error).catch((err: unknown) =>
        this.logger.warn({ msg: 'An import is left to whoever takes it up', importId: job.id, err }),
      );
    }
  }

  private async settle(taken: TakenImport, error: unknown): Promise<void> {
    const { id, attempts, progress } = taken.job;
    if (error instanceof ImportTakenOver) return;
    if (!mayPass(error)) return this.tidy(taken.job);
    if (this.rounds.isEnding) return this.jobs.release(taken);
    this.logger.warn({ msg: 'An import does not go on', importId: id, attempts, err: error });
    if (attempts < MAX_ATTEMPTS) return this.jobs.release(taken, waitAfter(attempts));
    const problem = new Problem('internal_error', { detail: 'It failed again and again; the log says why.' });
    await this.jobs.end(taken, progress, { state: 'failed', problem: problem.body() });
  }

  /** Its file is needed no longer. */
  private async tidy(job: ImportJobEntity): Promise<void> {
    await this.storage.remove(storageKey(await this.jobs.schemaOf(job), job.id));
    await this.jobs.unstored(job.id);
  }
}

const fromStorage = (storage: FileStorage, key: string): Bytes => ({
  async *read() {
    yield* await opened(storage, key);
  },
});

async function opened(storage: FileStorage, key: string): Promise<AsyncIterable<Buffer>> {
  try {
    return await storage.open(key);
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
    throw new Problem('bad_request', {
      detail: 'The server ended before it had stored the file. Send it again.',
      cause: error,
    });
  }
}
