import { Injectable } from '@nestjs/common';
import { accepted, requirePermission, newId, type Access, type Answer, type Id } from '../../../../common/index.js';
import { bodyOf } from '../../../../query/index.js';
import { ExternalRows } from '../../../connections/index.js';
import { EventBus } from '../../../events/index.js';
import { TableCatalog } from '../../../tables/index.js';
import { wishOf } from '../import-options.js';
import type { ImportJobDto } from '../jobs/import-job.dto.js';
import type { ImportWish } from '../jobs/import-job.entity.js';
import { ImportJobs } from '../jobs/import-jobs.js';
import { toImportDto } from '../jobs/to-import-dto.js';
import type { ExternalRowsImportDto, ExternalTableDto } from './external-import.dto.js';
import { pointingInto, sourceColumns, type SourceWish } from './source-wish.js';

/** What of a query makes sense where all of its rows are meant. */
const MEMBERS = ['from', 'as', 'joins', 'fields', 'filter', 'search', 'sort', 'tz'] as const;

/** Imports out of external databases: they are jobs in the background, of which the rows are read first. */
@Injectable()
export class ExternalImports {
  constructor(
    private readonly rowsOf: ExternalRows,
    private readonly jobs: ImportJobs,
    private readonly catalog: TableCatalog,
    private readonly bus: EventBus,
  ) {}

  /** Rows for a table that is there. @throws Problem `not_found`, `limit_reached`; what resolving the query throws; those of the database */
  async rows(access: Access, tableId: Id, body: ExternalRowsImportDto): Promise<Answer<ImportJobDto>> {
    const { mode, matchOn, onError, dryRun = false, ignoreUnknown = false } = body;
    const wish = wishOf({
      mode,
      matchOn: matchOn?.join(','),
      onError,
      dryRun: dryRun ? 'true' : 'false',
      ignoreUnknown: ignoreUnknown ? 'true' : 'false',
    });
    const source = await this.sourceOf(access, body);
    const { baseId } = await this.catalog.find(tableId);
    return this.begin(access, baseId, tableId, { kind: 'rows', ...wish, digitsAreNumbers: true, source });
  }

  /** A table out of external rows. Throws as {@link rows}. */
  async table(access: Access, baseId: Id, body: ExternalTableDto): Promise<Answer<ImportJobDto>> {
    const source = await this.sourceOf(access, body);
    return this.begin(access, baseId, newId(), { kind: 'table', name: body.name, source });
  }

  /** What is wrong with the query is known before anything is begun. */
  private async sourceOf(
    access: Access,
    { connectionId, query }: Pick<ExternalTableDto, 'connectionId' | 'query'>,
  ): Promise<SourceWish> {
    requirePermission(access, 'external:read');
    bodyOf(query, '/query', MEMBERS);
    const columns = await pointingInto('/query', () => this.rowsOf.columnsOf(access, connectionId, query));
    return { connectionId, query: JSON.stringify(query), columns: sourceColumns(columns) };
  }

  private async begin(
    { principal, request, workspaceId }: Access,
    baseId: Id,
    tableId: Id,
    wish: ImportWish,
  ): Promise<Answer<ImportJobDto>> {
    const begun = await this.jobs.begin({
      id: newId(),
      ...{ workspaceId, baseId, tableId, wish },
      form: { format: 'ndjson' },
      caller: { principal, request },
      bytes: '0',
      stored: true,
      keyName: null,
      keyRequest: null,
    });
    if ('before' in begun) return accepted(`/imports/${begun.before.id}`, toImportDto(begun.before));
    await this.jobs.release(begun);
    const { job } = begun;
    this.bus.publish('import.queued', { importId: job.id });
    return accepted(`/imports/${job.id}`, toImportDto(job));
  }
}
