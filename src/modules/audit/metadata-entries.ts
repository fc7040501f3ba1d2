import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Id } from '../../common/index.js';
import { AuditLogEntity } from '../../database/main/index.js';
import type { AuditFilters, Found } from './audit-filters.js';
import type { AuditLogEntryDto } from './dto/audit-log.dto.js';
import type { Place } from './place.js';

/**
 * The entries of metadata, in the main database. One source of the audit log of two: the change logs of the bases hold
 * those of rows. Each answers alike, newest first and by keyset, so that a merge of their heads is a page.
 */
@Injectable()
export class MetadataEntries {
  constructor(@InjectRepository(AuditLogEntity) private readonly log: Repository<AuditLogEntity>) {}

  /** Up to `count` entries of a workspace behind `after`. What is written meanwhile moves nothing that is there. */
  async newestFirst(
    workspaceId: Id,
    filters: AuditFilters,
    count: number,
    after: Place | undefined,
  ): Promise<Found<AuditLogEntity>> {
    const { action, from, to, changeSet, ...exact } = filters;
    // What is done as one act is numbered where rows are; an entry of metadata belongs to none.
    if (changeSet !== undefined) return { entries: [], more: false };
    const prefix = action?.endsWith('.*') ? action.slice(0, -1) : undefined;
    const query = this.log
      .createQueryBuilder('entry')
      .where({ workspaceId, ...given(exact), ...(prefix === undefined ? given({ action }) : {}) })
      .orderBy('entry.at', 'DESC')
      .addOrderBy('entry.id', 'DESC')
      .limit(count + 1);
    if (prefix !== undefined) query.andWhere('starts_with(entry.action, :prefix)', { prefix });
    if (from !== undefined) query.andWhere('entry.at >= :from', { from });
    if (to !== undefined) query.andWhere('entry.at < :to', { to });
    if (after?.source === 'metadata') query.andWhere('(entry.at, entry.id) < (:at, :id)', after);
    // They come before those of rows of the same time.
    else if (after) query.andWhere('entry.at < :at', after);
    const found = await query.getMany();
    return { entries: found.slice(0, count), more: found.length > count };
  }
}

export const placeOfEntry = ({ at, id }: AuditLogEntity): Place => ({ source: 'metadata', at: at.toISOString(), id });

export const toDto = (entry: AuditLogEntity): AuditLogEntryDto => ({
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

/** Without what is undefined: TypeORM would look for nothing at all. */
const given = (filters: object): object =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
