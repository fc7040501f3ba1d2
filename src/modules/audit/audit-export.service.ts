import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { Answer, type Access, type AppRequest } from '../../common/index.js';
import { actorOf, AuditedTransaction } from '../../database/main/index.js';
import { LineStream, type TextSource } from '../rows/index.js';
import type { AuditFilters } from './audit-filters.js';
import { AuditService } from './audit.service.js';
import type { Place } from './place.js';

/** Entries that are read at once. */
const AT_ONCE = 500;

/** Use case of taking the audit log out as a file. That it was taken is in the log, too. */
@Injectable()
export class AuditExport {
  constructor(
    private readonly audit: AuditService,
    private readonly audited: AuditedTransaction,
  ) {}

  /** All entries that the filters find, newest first, one in JSON a line, streamed; those that are written meanwhile are not among them. */
  async export(
    access: Access,
    filters: AuditFilters,
    { method, stillAllowed }: Pick<AppRequest, 'method' | 'stillAllowed'>,
  ): Promise<Answer> {
    if (method !== 'HEAD') await this.record(access, filters);
    const content = method === 'HEAD' ? Readable.from([]) : new LineStream(this.lines(access, filters), stillAllowed);
    return new Answer(new StreamableFile(content), {
      headers: {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'content-disposition': 'attachment; filename="audit-log.ndjson"',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      },
    });
  }

  private record(access: Access, filters: AuditFilters): Promise<void> {
    const { workspaceId } = access;
    return this.audited.run(actorOf(access), () =>
      Promise.resolve({
        result: undefined,
        audit: [
          {
            workspaceId,
            action: 'audit_log.exported',
            resource: { type: 'audit_log', id: workspaceId, name: 'Audit log' },
            after: { filters },
          },
        ],
        events: [],
      }),
    );
  }

  private lines({ workspaceId }: Access, filters: AuditFilters): TextSource {
    let place: Place | undefined;
    let ended = false;
    return {
      next: async () => {
        if (ended) return undefined;
        const { data, next } = await this.audit.page(workspaceId, filters, AT_ONCE, place);
        [place, ended] = [next, next === undefined];
        return data.length === 0 ? undefined : data.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      },
      close: () => Promise.resolve(),
    };
  }
}
