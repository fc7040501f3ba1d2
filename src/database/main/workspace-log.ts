import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Id } from '../../common/index.js';
import { AuditLogEntity } from './audit-log.entity.js';
import { WorkspaceEventEntity, WorkspaceStreamEntity } from './workspace-stream.entity.js';

/** Where the numbers of a workspace stand. */
export interface WorkspaceHead {
  readonly workspaceId: Id;
  readonly epoch: string;
  readonly seq: number;
}

/** One thing that happened in a workspace: as much of its audit entry as members may be told of. */
export interface WorkspaceEvent {
  readonly seq: number;
  readonly at: Date;
  readonly actor: { readonly id: Id | null; readonly name: string; readonly clientId?: string };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: Id | null; readonly name: string };
  /** The base that a table belongs to, the table that a column belongs to. */
  readonly baseId?: Id;
  readonly tableId?: Id;
  /** Of a member. */
  readonly role?: string;
  /** Of a view: who sees it by this, who saw it before, and what it is called now. */
  readonly view?: {
    readonly before?: string;
    readonly after?: string;
    readonly nameBefore?: string;
    readonly name?: string;
  };
}

interface Raw {
  readonly seq: string;
  readonly at: Date;
  readonly actorId: Id | null;
  readonly actorName: string;
  readonly clientId: string | null;
  readonly action: string;
  readonly type: string;
  readonly resourceId: Id | null;
  readonly name: string;
  readonly role: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly nameBefore: string | null;
  readonly nameNow: string | null;
  readonly baseId: Id | null;
  readonly tableId: Id | null;
}

/** Columns of bases with rules: members may be kept from some of them, and from all that is computed from these in other tables. */
const IS_RULED_COLUMN = `exists (select from columns own join tables home on home.id = own.table_id
  join table_rules rule on rule.base_id = home.base_id and rule.rules <> '[]' where own.id = col.id)`;

/** Reads what happened in workspaces, by number. Numbers are dense and in commit order: what has been read once never lacks anything before it. */
@Injectable()
export class WorkspaceLog {
  constructor(private readonly dataSource: DataSource) {}

  /** One query, whatever the number of workspaces; those that are gone are left out. */
  async heads(workspaceIds: readonly Id[]): Promise<readonly WorkspaceHead[]> {
    const found = await this.dataSource.manager.find(WorkspaceStreamEntity, {
      where: { workspaceId: In([...workspaceIds]) },
    });
    return found.map(({ workspaceId, epoch, seq }) => ({ workspaceId, epoch, seq: Number(seq) }));
  }

  /** What has the numbers behind `after`, in order, at most `limit`. */
  async read(workspaceId: Id, after: number, limit: number): Promise<readonly WorkspaceEvent[]> {
    const rows = await this.dataSource.manager
      .createQueryBuilder(WorkspaceEventEntity, 'event')
      .innerJoin(AuditLogEntity, 'entry', 'entry.id = event.auditId')
      .leftJoin('tables', 'tabl', `entry.resource_type = 'table' and tabl.id = entry.resource_id`)
      .leftJoin('columns', 'col', `entry.resource_type = 'column' and col.id = entry.resource_id`)
      .leftJoin('views', 'view', `entry.resource_type = 'view' and view.id = entry.resource_id`)
      .select('event.seq', 'seq')
      .addSelect('entry.at', 'at')
      .addSelect('entry.actorId', 'actorId')
      .addSelect('entry.actorName', 'actorName')
      .addSelect('entry.clientId', 'clientId')
      .addSelect('entry.action', 'action')
      .addSelect('entry.resourceType', 'type')
      .addSelect('entry.resourceId', 'resourceId')
      .addSelect(`case when ${IS_RULED_COLUMN} then '' else entry.resourceName end`, 'name')
      .addSelect(`case when entry.resource_type = 'member' then entry.after ->> 'role' end`, 'role')
      .addSelect(`entry.before ->> 'visibility'`, 'before')
      .addSelect(`entry.after ->> 'visibility'`, 'after')
      .addSelect(`entry.before ->> 'name'`, 'nameBefore')
      .addSelect('view.name', 'nameNow')
      .addSelect('tabl.base_id', 'baseId')
      .addSelect('col.table_id', 'tableId')
      .where('event.workspaceId = :workspaceId', { workspaceId })
      .andWhere('event.seq > :after and event.seq <= :until', { after, until: after + limit })
      .orderBy('event.seq')
      .getRawMany<Raw>();
    return rows.map(toEvent);
  }
}

const toEvent = (raw: Raw): WorkspaceEvent => ({
  seq: Number(raw.seq),
  at: raw.at,
  actor: { id: raw.actorId, name: raw.actorName, ...(raw.clientId === null ? {} : { clientId: raw.clientId }) },
  action: raw.action,
  resource: { type: raw.type, id: raw.resourceId, name: raw.name },
  ...(raw.baseId === null ? {} : { baseId: raw.baseId }),
  ...(raw.tableId === null ? {} : { tableId: raw.tableId }),
  ...(raw.role === null ? {} : { role: raw.role }),
  ...(raw.type === 'view' ? { view: viewOf(raw) } : {}),
});

const viewOf = ({ before, after, nameBefore, nameNow }: Raw): NonNullable<WorkspaceEvent['view']> => ({
  ...(before === null ? {} : { before }),
  ...(after === null ? {} : { after }),
  ...(nameBefore === null ? {} : { nameBefore }),
  ...(nameNow === null ? {} : { name: nameNow }),
});
