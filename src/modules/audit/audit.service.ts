import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Access } from '../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../config/index.js';
import type { AuditLogEntity } from '../../database/main/index.js';
import { CursorCodec } from '../../query/index.js';
import type { AuditLogEntryDto, AuditLogListDto } from './dto/audit-log.dto.js';
import type { AuditLogQuery } from './dto/audit-log-query.dto.js';
import { MetadataEntries, type Place } from './metadata-entries.js';

/** Who did what in a workspace. */
@Injectable()
export class AuditService {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly metadata: MetadataEntries,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page, newest first. Throws `cursor_invalid`, and `cursor_mismatch` for a cursor of other filters or another workspace. */
  async list({ workspaceId }: Access, { limit, cursor, ...filters }: AuditLogQuery): Promise<AuditLogListDto> {
    const query = hash('sha256', JSON.stringify(['audit', workspaceId, Object.entries(filters).sort()]), 'base64url');
    const after = cursor === undefined ? undefined : this.placeOf(query, cursor);
    const found = await this.metadata.newestFirst(workspaceId, filters, limit + 1, after);
    const data = found.slice(0, limit).map(toDto);
    const last = data.at(-1);
    const nextCursor = found.length > limit && last ? this.cursors.seal(query, [last.at, last.id]) : undefined;
    return { data, page: { limit, ...(nextCursor === undefined ? {} : { nextCursor }) } };
  }

  private placeOf(query: string, cursor: string): Place {
    const [at, id] = this.cursors.open(query, cursor);
    return { at: String(at), id: String(id) };
  }
}

const toDto = (entry: AuditLogEntity): AuditLogEntryDto => ({
  id: entry.id,
  at: entry.at.toISOString(),
  actor: { id: entry.actorId, name: entry.actorName, via: entry.actorVia },
  action: entry.action,
  resource: { type: entry.resourceType, id: entry.resourceId, name: entry.resourceName },
  before: entry.before,
  after: entry.after,
  requestId: entry.requestId,
  ip: entry.ip,
  changeSet: null,
});
