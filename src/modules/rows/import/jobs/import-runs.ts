import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { inSpan, inTrace, Problem, type Id } from '../../../../common/index.js';
import { ImportTakenOver } from '../../../../engines/index.js';
import { EventBus } from '../../../events/index.js';
import { AccessService } from '../../../workspaces/index.js';
import { SourceFetch } from '../external/source-fetch.js';
import type { Bytes } from '../file/row-file.js';
import { Importer } from '../importer.js';
import { mayPass } from '../may-pass.js';
import { optionsOf } from '../import-options.js';
import { resultOf, type ImportAnswerDto, type ImportTableAnswerDto } from '../import.dto.js';
import { TableMaker } from '../table-maker.js';
import { surveyed } from '../external/source-wish.js';
import { ImportJobs, type ImportEnd, type TakenImport } from './import-jobs.js';
import { ImportRun } from './import-run.js';

export type ImportResult = ImportAnswerDto | ImportTableAnswerDto;

/** The imports that this process is at. */
@Injectable()
export class ImportRuns implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Import');
  private readonly running = new Map<Id, ImportRun>();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly jobs: ImportJobs,
    private readonly importer: Importer,
    private readonly maker: TableMaker,
    private readonly fetch: SourceFetch,
    private readonly access: AccessService,
    private readonly bus: EventBus,
  ) {}

  onModuleInit(): void {
    this.stopListening = this.bus.on('import.cancelled', ({ importId }) => this.running.get(importId)?.cancel());
  }

  onModuleDestroy(): void {
    this.stopListening?.();
  }

  /** Ends all whose work somebody else can go on with. */
  endStored(why: Problem): void {
    for (const run of this.running.values()) if (run.taken.job.stored) run.end(why);
  }

  /**
   * Does the work, and notes how it ended. `gone`: nobody waits for it any more.
   * @throws Problem what it ended with; ImportTakenOver somebody else is at it
   */
  run(taken: TakenImport, bytes: Bytes, gone?: AbortSignal): Promise<ImportResult> {
    const traced = gone ? inSpan : inTrace;
    const { id, workspaceId } = taken.job;
    const attributes = { 'live_tables.import_id': id, 'live_tables.workspace_id': workspaceId };
    return traced('rows.import', attributes, () => this.runNow(taken, bytes, gone));
  }

  private async runNow(taken: TakenImport, bytes: Bytes, gone: AbortSignal | undefined): Promise<ImportResult> {
    const { jobs, access, bus, logger } = this;
    const run = new ImportRun(taken, bytes, gone, { jobs, access, bus, logger });
    this.running.set(taken.job.id, run);
    run.begin();
    try {
      const result = await this.work(run);
      await run.settle({ state: 'done', result });
      return result;
    } catch (error) {
      const end = endOf(error, run.stop, gone);
      // One that others can take up is not over.
      if (end && !(end.state === 'interrupted' && taken.job.stored)) await run.settle(end);
      else await run.rest();
      throw error;
    } finally {
      this.running.delete(taken.job.id);
    }
  }

  private async work(run: ImportRun): Promise<ImportResult> {
    const { id, baseId, tableId, wish, cancelRequested } = run.taken.job;
    // It ends as it would have, with what is written of it.
    if (cancelRequested) run.cancel();
    const access = await run.mayGoOn();
    const { file, stop, watch } = run;
    if (wish.source) await this.fetch.into(run.taken, wish.source, access, stop);
    const columns = wish.source?.columns.map(surveyed);
    if (wish.kind === 'table')
      return this.maker.make({ id, access, baseId, tableId, name: wish.name, columns, file, stop, watch });
    const tally = await this.importer.run({ access, tableId, file, options: optionsOf(id, wish), stop, watch });
    return { ...resultOf(id, tally), mode: wish.mode, dryRun: wish.dryRun };
  }
}

/** How an import ended that threw this. Undefined: it has not ended, somebody else is at it. */
function endOf(error: unknown, stop: AbortSignal, gone: AbortSignal | undefined): ImportEnd | undefined {
  if (error instanceof ImportTakenOver || stop.reason instanceof ImportTakenOver) return undefined;
  const problem = error instanceof Problem ? error : new Problem('internal_error');
  const told = problem.body();
  if (gone?.aborted === true || mayPass(problem)) return { state: 'interrupted', problem: told };
  return { state: problem.code === 'import_cancelled' ? 'cancelled' : 'failed', problem: told };
}
