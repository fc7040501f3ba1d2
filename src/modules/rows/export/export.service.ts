import { Inject, Injectable, StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';
import {
  Answer,
  beginSpan,
  must,
  Problem,
  resolving,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { MiniDbExport, type RowLines } from '../../../engines/index.js';
import {
  EVERY_ROW,
  CursorCodec,
  planShape,
  requestFromUrl,
  resolveRead,
  type ExportFormat,
  type ExportPlan,
  type ReadPlan,
  type ReadRequest,
  type TableSchema,
} from '../../../query/index.js';
import { contentDisposition } from '../../files/index.js';
import { filterContext } from '../read/filter-context.js';
import { PastTables } from '../read/past-tables.service.js';
import { askedOf, withoutPlace } from '../read/rows-reader.service.js';
import { CRLF, headerLine } from './csv-line.js';
import type { ExportQuery } from './export-query.dto.js';
import { LineStream, type TextSource } from './line-stream.js';
import { Fence, TableCatalog, type TableMeta } from '../../tables/index.js';

/** Exports that one node is at, each with a connection of its own. */
const AT_ONCE = 4;

const MEDIA_TYPES = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' } as const;

/** Use case of taking rows out as a file. */
@Injectable()
export class ExportService {
  private readonly cursors: CursorCodec;
  private running = 0;

  constructor(
    private readonly fence: Fence,
    private readonly tables: TableCatalog,
    private readonly engine: MiniDbExport,
    private readonly audited: AuditedTransaction,
    private readonly past: PastTables,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /**
   * All rows that the query finds, as they are at one moment, streamed. That they were taken out is in the audit log.
   * @throws Problem `filter_invalid`, `sort_invalid`, `validation_failed`, `overloaded` when too many are under way
   */
  export(access: Access, tableId: Id, query: ExportQuery, request: ExportRequest): Promise<Answer> {
    const { format = 'csv' } = query;
    return this.fence.run(access, tableId, async (meta) => {
      const plan = await this.plan(access, meta, query);
      const content =
        request.method === 'HEAD' ? Readable.from([]) : await this.taken(access, meta, query, plan, request);
      return new Answer(new StreamableFile(content), { headers: headersOf(meta, format) });
    });
  }

  private async taken(
    access: Access,
    meta: TableMeta,
    query: ExportQuery,
    plan: ReadPlan,
    request: ExportRequest,
  ): Promise<LineStream> {
    const { format = 'csv', fields, filter, search, sort, asOf } = query;
    const sight = meta.seen.sightOf(meta.id, access);
    const content = new LineStream(await this.texts(plan, query, format, request), () =>
      this.stillAllowed(meta, request, sight),
    );
    const entry = {
      workspaceId: access.workspaceId,
      action: 'table.exported',
      resource: { type: 'table', id: meta.id, name: meta.name },
      after: { format, fields, filter, search, sort, asOf },
    };
    try {
      await this.audited.run(actorOf(access), () => Promise.resolve({ result: undefined, audit: [entry], events: [] }));
      return content;
    } catch (error) {
      // What cannot be written down is not handed out.
      content.destroy();
      throw error;
    }
  }

  /** @throws Problem why the reader may have no more: he has no right to read, or sees something else of the table than `sight` */
  private async stillAllowed({ id }: TableMeta, request: ExportRequest, sight: string | undefined): Promise<void> {
    await request.stillAllowed?.();
    const { seen } = await this.tables.find(id);
    if (seen.sightOf(id, must(request.access, 'the guards let it in')) !== sight)
      throw new Problem('conflict', { detail: 'What you see of the table is something else by now.' });
  }

  private async plan(access: Access, meta: TableMeta, query: ExportQuery): Promise<ReadPlan> {
    const { asOf, ...request } = requestFromUrl({ ...query, limit: 1 });
    const resolve = (of: ReadRequest, table: TableSchema): ReadPlan =>
      resolveRead(of, table, EVERY_ROW, this.cursors, filterContext(access)).plan;
    if (!asOf) return resolving(() => resolve(request, meta.tableSchema));
    const { seq, table } = await this.past.asked(meta, asOf, (now) =>
      askedOf(request, resolve(withoutPlace(request), now)),
    );
    return resolving(() => resolve({ ...request, asOf: { seq } }, table));
  }

  private async texts(
    plan: ReadPlan,
    query: ExportQuery,
    format: ExportFormat,
    request: ExportRequest,
  ): Promise<TextSource> {
    if (this.running >= AT_ONCE)
      throw new Problem('overloaded', {
        detail: `This server is at ${AT_ONCE} exports already.`,
        headers: { 'retry-after': '5' },
      });
    this.running++;
    const end = beginSpan('rows.export', { 'live_tables.table_id': plan.from.id, 'live_tables.format': format });
    const over = (): void => {
      this.running--;
      end();
    };
    try {
      const startedAt = performance.now();
      const opened = await this.engine.open(plan, format);
      const lines = timed(opened, plan, request, performance.now() - startedAt);
      return {
        ...(format === 'csv' ? csv(lines, plan, query) : ndjson(lines)),
        close: () => opened.close().finally(over),
      };
    } catch (error) {
      over();
      throw error;
    }
  }
}

type Lines = Pick<RowLines, 'next'>;

type ExportRequest = Pick<AppRequest, 'method' | 'databaseMs' | 'queryFacts' | 'access' | 'stillAllowed'>;

/** The same lines, of which the request knows how long the database worked for them by now: it is told when the last has gone out. */
function timed(lines: Lines, plan: ReadPlan, request: ExportRequest, openedMs: number): Lines {
  let rows = 0;
  request.databaseMs = openedMs;
  request.queryFacts = () => ({ kind: 'read', plan: `export ${planShape(plan)}`, rows });
  return {
    async next() {
      const startedAt = performance.now();
      const batch = await lines.next();
      request.databaseMs = (request.databaseMs ?? 0) + performance.now() - startedAt;
      rows += batch.length;
      return batch;
    },
  };
}

function csv(lines: Lines, { select }: ExportPlan, { header, bom }: ExportQuery): Pick<TextSource, 'next'> {
  let first: string | undefined =
    (bom === 'true' ? '\ufeff' : '') + headerLine(select.map(({ key, name }) => (header === 'names' ? name : key)));
  return {
    async next() {
      const text = first ?? joined(await lines.next(), CRLF);
      first = undefined;
      return text;
    },
  };
}

const ndjson = (lines: Lines): Pick<TextSource, 'next'> => ({ next: async () => joined(await lines.next(), '\n') });

const joined = (batch: readonly string[], end: string): string | undefined =>
  batch.length === 0 ? undefined : batch.join(end) + end;

const headersOf = ({ name }: TableMeta, format: ExportFormat): Record<string, string> => ({
  'content-type': MEDIA_TYPES[format],
  'content-disposition': contentDisposition('attachment', `${name.replace(/[/\\]/g, '_')}.${format}`),
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});
