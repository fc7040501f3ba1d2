import type { ImportJobDto, ImportJobSummaryDto } from './import-job.dto.js';
import type { ImportJobEntity } from './import-job.entity.js';

export const toImportSummary = (job: Omit<ImportJobEntity, 'result' | 'problem'>): ImportJobSummaryDto => ({
  id: job.id,
  baseId: job.baseId,
  tableId: job.tableId,
  state: job.state,
  mode: job.wish.kind === 'rows' ? job.wish.mode : 'append',
  onError: job.wish.kind === 'rows' ? job.wish.onError : 'abort',
  dryRun: job.wish.kind === 'rows' && job.wish.dryRun,
  cancelRequested: job.cancelRequested,
  bytes: Number(job.bytes),
  ...job.progress,
  createdBy: job.caller.principal.userId,
  createdAt: job.createdAt.toISOString(),
  finishedAt: job.finishedAt?.toISOString() ?? null,
});

export const toImportDto = (job: ImportJobEntity): ImportJobDto => ({
  ...toImportSummary(job),
  result: job.result,
  problem: job.problem,
});
