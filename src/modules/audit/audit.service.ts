import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Access, Id } from '../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../config/index.js';
import type { AuditLogEntity } from '../../database/main/index.js';
import type { TimedChange } from '../../engines/index.js';
import { CursorCodec } from '../../query/index.js';
import type { AuditFilters, Found } from './audit-filters.js';
import type { AuditLogEntryDto, AuditLogListDto } from './dto/audit-log.dto.js';
import type { AuditLogQuery } from './dto/audit-log-query.dto.js';
import { MetadataEntries, placeOfEntry, toDto } from './metadata-entries.js';
import { comesFirst, placeOf, positionOf, type Place } from './place.js';
import { placeOfChange, RowEntries } from './row-entries.js';

/** Entries of the log, in its order, and where they end if there are more. */
export interface AuditPage {
  readonly data: readonly AuditLogEntryDto[];
  readonly next?: Place;
}

/** Who did what in a workspace: entries of metadata and of rows, merged by time. */
@Injectable()
export class AuditService {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly metadata: MetadataEntries,
    private readonly rows: RowEntries,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page, newest first. Throws `cursor_invalid`, and `cursor_mismatch` for a cursor of other filters or another workspace. */
  async list({ workspaceId }: Access, { limit, cursor, ...filters }: AuditLogQuery): Promise<AuditLogListDto> {
    const query = hash('sha256', JSON.stringify(['audit', workspaceId, Object.entries(filters).sort()]), 'base64url');
    const after = cursor === undefined ? undefined : placeOf(this.cursors.open(query, cursor));
    const { data, next } = await this.page(workspaceId, filters, limit, after);
    const nextCursor = next && this.cursors.seal(query, positionOf(next));
    return { data: [...data], page: { limit, ...(nextCursor === undefined ? {} : { nextCursor }) } };
  }

  /** The same by places, for whoever reads on and on. Has one entry at least where there is one. */
  async page(workspaceId: Id, filters: AuditFilters, limit: number, after?: Place): Promise<AuditPage> {
    const [metadata, rows] = await Promise.all([
      this.metadata.newestFirst(workspaceId, filters, limit, after),
      this.rows.newestFirst(workspaceId, filters, limit, after),
    ]);
    const { merged, more } = merge(metadata, rows, limit);
    const changes = merged.filter((each) => each.source === 'rows');
    const told = [...(await this.rows.told(changes.map(({ change }) => change)))];
    const data = merged.flatMap((each) => (each.source === 'metadata' ? [toDto(each.entry)] : told.splice(0, 1)));
    const last = merged.at(-1);
    return { data, ...(more && last ? { next: last.place } : {}) };
  }
}

type Merged =
  | { readonly source: 'metadata'; readonly place: Place; readonly entry: AuditLogEntity }
  | { readonly source: 'rows'; readonly place: Place; readonly change: TimedChange };

/** The heads of both, up to the limit, and not beyond the end of one that has more. */
function merge(
  metadata: Found<AuditLogEntity>,
  rows: Found<TimedChange>,
  limit: number,
): { readonly merged: readonly Merged[]; readonly more: boolean } {
  const entries = metadata.entries.map((entry): Merged => ({ source: 'metadata', place: placeOfEntry(entry), entry }));
  const changes = rows.entries.map((change): Merged => ({ source: 'rows', place: placeOfChange(change), change }));
  const merged: Merged[] = [];
  while (merged.length < limit) {
    const [entry, change] = [entries[0], changes[0]];
    if ((!entry && metadata.more) || (!change && rows.more)) break;
    const first = entry && (!change || comesFirst(entry.place, change.place)) ? entries : changes;
    const next = first.shift();
    if (!next) break;
    merged.push(next);
  }
  return { merged, more: entries.length + changes.length > 0 || metadata.more || rows.more };
}
