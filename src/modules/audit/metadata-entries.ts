import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Id } from '../../common/index.js';
import { AuditLogEntity } from '../../database/main/index.js';
import type { AuditLogQuery } from './dto/audit-log-query.dto.js';

/** Place of an entry in the log's order; ids are time-ordered, but only `at` is the same clock in every source. */
export interface Place {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly id: Id;
}

type Filters = Omit<AuditLogQuery, 'limit' | 'cursor'>;

/**
 * The entries of metadata, in the main database. One source of the audit log among several: the change logs of the bases hold
 * those of rows. Each answers alike, newest first and by keyset over (at, id), so that a merge of their heads is a page.
 */
@Injectable()
export class MetadataEntries {
  constructor(@InjectRepository(AuditLogEntity) private readonly log: Repository<AuditLogEntity>) {}

  /** Up to `count` entries of a workspace behind `after`. What is written meanwhile moves nothing that is there. */
  async newestFirst(
    workspaceId: Id,
    filters: Filters,
    count: number,
    after: Place | undefined,
  ): Promise<AuditLogEntity[]> {
    const { action, from, to, ...exact } = filters;
    const prefix = action?.endsWith('.*') ? action.slice(0, -1) : undefined;
    const query = this.log
      .createQueryBuilder('entry')
      .where({ workspaceId, ...given(exact), ...(prefix === undefined ? given({ action }) : {}) })
      .orderBy('entry.at', 'DESC')
      .addOrderBy('entry.id', 'DESC')
      .limit(count);
    if (prefix !== undefined) query.andWhere('starts_with(entry.action, :prefix)', { prefix });
    if (from !== undefined) query.andWhere('entry.at >= :from', { from });
    if (to !== undefined) query.andWhere('entry.at < :to', { to });
    if (after) query.andWhere('(entry.at, entry.id) < (:at, :id)', after);
    return query.getMany();
  }
}

/** Without what is undefined: TypeORM would look for nothing at all. */
const given = (filters: object): object =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
