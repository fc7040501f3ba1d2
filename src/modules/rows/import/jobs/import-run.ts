import type { Logger } from '@nestjs/common';
import { Problem, type Access, type Permission } from '../../../../common/index.js';
import { ImportTakenOver } from '../../../../engines/index.js';
import type { AccessService } from '../../../workspaces/index.js';
import type { EventBus } from '../../../events/index.js';
import { counted, type CountedBytes } from '../file/counted.js';
import { rowFile, type Bytes, type RowFile } from '../file/row-file.js';
import { Tally } from '../tally.js';
import type { ImportWish, ProgressCounts } from './import-job.entity.js';
import type { ImportEnd, ImportJobs, TakenImport } from './import-jobs.js';

/** How often whoever works at an import says so, milliseconds; it is told of a wish to end it then at the latest. */
const BEAT_MS = 2_000;

export const permissionFor = ({ kind }: ImportWish): Permission =>
  kind === 'table' ? 'structure:change' : 'rows:write';

export interface RunParts {
  readonly jobs: ImportJobs;
  readonly access: AccessService;
  readonly bus: EventBus;
  readonly logger: Logger;
}

/** Nothing of it is written; what is wrong with its lines is as true as before. */
function undone(tally: Tally | undefined): Tally {
  const nothing = new Tally();
  nothing.failed = tally?.failed ?? 0;
  return nothing;
}

/** One import while this process is at it: keeps it, shows how far it is, ends it when somebody wants it to end or the right to it is gone. */
export class ImportRun {
  readonly file: RowFile;
  private readonly bytes: CountedBytes;
  private readonly stopper = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();
  private tally: Tally | undefined;

  constructor(
    readonly taken: TakenImport,
    bytes: Bytes,
    private readonly gone: AbortSignal | undefined,
    private readonly parts: RunParts,
  ) {
    this.bytes = counted(bytes);
    this.file = rowFile(this.bytes, taken.job.form);
  }

  get stop(): AbortSignal {
    const { signal } = this.stopper;
    return this.gone ? AbortSignal.any([signal, this.gone]) : signal;
  }

  readonly watch = (tally: Tally): void => {
    this.tally = tally;
  };

  /** Ends the work as soon as it can be ended. */
  end(why: Error): void {
    this.stopper.abort(why);
  }

  /** Somebody wants it to end. */
  cancel(): void {
    this.end(
      new Problem('import_cancelled', {
        detail: this.isWhole ? 'The import was cancelled; nothing of it is written.' : 'The import was cancelled.',
      }),
    );
  }

  /** The right to it, as it is now. @throws Problem `not_found`, `role_too_low` */
  mayGoOn(): Promise<Access> {
    const { caller, workspaceId, wish } = this.taken.job;
    return this.parts.access.require(caller, workspaceId, permissionFor(wish));
  }

  begin(): void {
    this.timer = setInterval(() => {
      this.beating = this.beating.then(() => this.beat());
    }, BEAT_MS);
    this.timer.unref();
  }

  /** What became of it is known to everybody, if it can be said; what is written is written whether or not. */
  async settle(end: ImportEnd): Promise<void> {
    await this.rest();
    try {
      if (end.state !== 'done' && this.isWhole) this.tally = undone(this.tally);
      await this.parts.jobs.end(this.taken, this.progress, end);
    } catch (error) {
      this.parts.logger.warn({ msg: 'The end of an import is not noted', importId: this.taken.job.id, err: error });
    }
    this.show(end.state);
  }

  /** No longer a word of it, and no other end. */
  async rest(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
  }

  private async beat(): Promise<void> {
    const { jobs, logger } = this.parts;
    try {
      const kept = await jobs.prolong(this.taken, this.progress);
      if (!kept) this.end(new ImportTakenOver());
      else if (kept.cancelled) this.cancel();
      this.show('running');
      await this.mayGoOn();
    } catch (error) {
      if (error instanceof Problem && error.status < 500) this.end(error);
      // The main database is away; health says so. Nobody writes twice: the mark of the import is beside its rows.
      else logger.debug({ msg: 'An import cannot be kept', importId: this.taken.job.id, err: error });
    }
  }

  private show(state: string): void {
    const { id, tableId, bytes } = this.taken.job;
    this.parts.bus.publish('import.progressed', {
      tableId,
      importId: id,
      state,
      bytes: Number(bytes),
      ...this.progress,
    });
  }

  /** All of it is written or nothing. */
  private get isWhole(): boolean {
    const { wish } = this.taken.job;
    return wish.kind === 'table' || wish.onError === 'abort' || wish.dryRun;
  }

  private get progress(): ProgressCounts {
    const { created, updated, unchanged, failed } = this.tally ?? this.taken.job.progress;
    return { bytesRead: this.bytes.bytesRead, created, updated, unchanged, failed };
  }
}
