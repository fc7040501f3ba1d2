import { Injectable } from '@nestjs/common';
import { notFound, Problem, type Id } from '../../../../common/index.js';
import { EventBus } from '../../../events/index.js';
import type { ImportJobDto, ImportJobListDto } from './import-job.dto.js';
import type { ImportJobEntity } from './import-job.entity.js';
import { ImportJobs } from './import-jobs.js';
import { toImportDto, toImportSummary } from './to-import-dto.js';

const LISTED = 50;

/** Use cases of those who look at imports, and end them. */
@Injectable()
export class ImportJobsService {
  constructor(
    private readonly jobs: ImportJobs,
    private readonly bus: EventBus,
  ) {}

  async list(tableId: Id): Promise<ImportJobListDto> {
    return { data: (await this.jobs.ofTable(tableId, LISTED)).map(toImportSummary) };
  }

  /** @throws Problem `not_found` */
  async get(id: Id): Promise<ImportJobDto> {
    return toImportDto(await this.find(id));
  }

  /** That it is cancelled already is no error. @throws Problem `not_found`; `conflict` it has ended otherwise */
  async cancel(id: Id): Promise<ImportJobDto> {
    const asked = await this.jobs.cancel(id);
    const job = await this.find(id);
    if (!asked && job.state !== 'cancelled')
      throw new Problem('conflict', { detail: `The import has ended: ${job.state}.` });
    if (asked) this.bus.publish('import.cancelled', { importId: id });
    return toImportDto(job);
  }

  private async find(id: Id): Promise<ImportJobEntity> {
    const job = await this.jobs.find(id);
    if (!job) throw notFound('import');
    return job;
  }
}
