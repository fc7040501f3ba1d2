import { Injectable } from '@nestjs/common';
import {
  idOfCursor,
  idPage,
  notFound,
  Problem,
  type Access,
  type Id,
  type PageQuery,
} from '../../../../common/index.js';
import { actorOf, AuditedTransaction } from '../../../../database/main/index.js';
import { TableCatalog } from '../../../tables/index.js';
import type { ImportJobDto, ImportJobListDto } from './import-job.dto.js';
import { ImportJobEntity } from './import-job.entity.js';
import { ImportJobs } from './import-jobs.js';
import { toImportDto, toImportSummary } from './to-import-dto.js';

/** Use cases of those who look at imports, and end them. */
@Injectable()
export class ImportJobsService {
  constructor(
    private readonly jobs: ImportJobs,
    private readonly catalog: TableCatalog,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** Those who see part of the table are told of their own. */
  async list(access: Access, tableId: Id, { limit, cursor }: PageQuery): Promise<ImportJobListDto> {
    const before = cursor === undefined ? undefined : idOfCursor(cursor);
    const by = (await this.catalog.seesAllOf(tableId, access)) ? undefined : access.principal.userId;
    return idPage((await this.jobs.ofTable(tableId, limit + 1, { before, by })).map(toImportSummary), limit);
  }

  /** @throws Problem `not_found`; `ruled_out` it is somebody else's, and tells of all of a table of which the caller sees part */
  async get(access: Access, id: Id): Promise<ImportJobDto> {
    return toImportDto(await this.find(access, id));
  }

  /** Asks whoever works at it to end. That it is cancelled already is no error. @throws Problem `not_found`, `ruled_out`; `conflict` it ended otherwise */
  async cancel(access: Access, id: Id): Promise<ImportJobDto> {
    const job = await this.find(access, id);
    if (job.state === 'cancelled') return toImportDto(job);
    return this.transaction.run(actorOf(access), async (manager) => {
      const { affected } = await manager.update(ImportJobEntity, { id, state: 'running' }, { cancelRequested: true });
      if (affected !== 1) throw new Problem('conflict', { detail: 'The import has ended by itself.' });
      const resource = { type: 'import', id, name: job.wish.kind === 'table' ? job.wish.name : '' };
      return {
        result: toImportDto({ ...job, cancelRequested: true }),
        audit: [
          { workspaceId: job.workspaceId, action: 'import.cancelled', resource, after: { tableId: job.tableId } },
        ],
        events: [{ topic: 'import.cancelled', payload: { importId: id } }],
      };
    });
  }

  private async find(access: Access, id: Id): Promise<ImportJobEntity> {
    const job = await this.jobs.find(id);
    if (!job) throw notFound('import');
    const isOwn = job.caller.principal.userId === access.principal.userId;
    if (isOwn || access.role === 'owner' || access.role === 'admin') return job;
    if (!(await this.catalog.seenOf(job.baseId)).isOpenTo(job.tableId, access))
      throw new Problem('ruled_out', {
        detail: 'Rules keep you from part of this table, and this is an import of somebody else.',
      });
    return job;
  }
}
