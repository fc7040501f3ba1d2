import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import {
  idOfCursor,
  idPage,
  mayDo,
  must,
  newId,
  notFound,
  Problem,
  type Access,
  type Caller,
  type Id,
  type PageQuery,
  type Role,
} from '../../common/index.js';
import { actorOf, AuditedTransaction, type AuditEntry, type AuditedManager } from '../../database/main/index.js';
import type { CreateWorkspaceDto, UpdateWorkspaceDto, WorkspaceDto, WorkspaceListDto } from './dto/workspaces.dto.js';
import { DEFAULT_TIME_ZONE } from '../../query/index.js';
import { MemberEntity } from './members/member.entity.js';
import { slugCandidates } from './slug.js';
import { WorkspaceEntity } from './workspace.entity.js';

/** Workspaces: made by anybody, who becomes the first owner; seen by members only. */
@Injectable()
export class WorkspacesService {
  constructor(
    @InjectRepository(WorkspaceEntity) private readonly workspaces: Repository<WorkspaceEntity>,
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** A new workspace with the caller as its owner. Names may repeat, slugs do not. */
  async create(caller: Caller, { name }: CreateWorkspaceDto): Promise<WorkspaceDto> {
    const { userId } = caller.principal;
    return this.transaction.run(actorOf(caller), async (manager) => {
      const workspace = await insertWithFreeSlug(manager, name);
      const { id, createdAt, updatedAt } = workspace;
      await manager.insert(MemberEntity, { id: newId(), workspaceId: id, userId, role: 'owner', createdAt, updatedAt });
      return {
        result: toDto(workspace, 'owner'),
        audit: [audit('workspace.created', workspace, { after: { name, slug: workspace.slug } })],
        events: [{ topic: 'member.changed', payload: { workspaceId: id, userId } }],
      };
    });
  }

  /** The workspaces that the caller is a member of, oldest first. */
  async list({ principal }: Caller, { limit, cursor }: PageQuery): Promise<WorkspaceListDto> {
    const query = this.members
      .createQueryBuilder('member')
      .innerJoinAndSelect('member.workspace', 'workspace', 'workspace.deleted_at is null')
      .where({ userId: principal.userId })
      .orderBy('workspace.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('workspace.id > :after', { after: idOfCursor(cursor) });
    const only = principal.token?.workspaceIds;
    if (only) query.andWhere('workspace.id = any(:only)', { only });
    const found = await query.getMany();
    return idPage(
      found.map(({ workspace, role }) => toDto(must(workspace, 'it was joined'), role)),
      limit,
    );
  }

  async get(access: Access): Promise<WorkspaceDto> {
    return toDto(await this.find(access), access.role);
  }

  /** Changes what is given. The slug stays, since addresses lead to it. */
  async update(access: Access, wishes: UpdateWorkspaceDto): Promise<WorkspaceDto> {
    const before = await this.find(access);
    const { id } = before;
    const change = changed(before, wishes);
    if (Object.keys(change).length === 0) return toDto(before, access.role);
    if ('historyDays' in change && !mayDo(access.role, 'workspace:delete'))
      throw new Problem('role_too_low', { detail: 'Only an owner decides for how long the history of rows is kept.' });
    const after = { ...before, ...change, updatedAt: new Date() };
    return this.transaction.run(actorOf(access), async (manager) => {
      const { affected } = await manager.update(
        WorkspaceEntity,
        { id, deletedAt: IsNull() },
        { ...change, updatedAt: after.updatedAt },
      );
      if (affected !== 1) throw notFound('workspace');
      return {
        result: toDto(after, access.role),
        audit: [audit('workspace.updated', after, { before: namely(before, change), after: change })],
        events: [{ topic: 'workspace.changed', payload: { workspaceId: id } }],
      };
    });
  }

  /** Hides the workspace and everything in it from everybody. */
  async remove(access: Access): Promise<void> {
    const workspace = await this.find(access);
    await this.transaction.run(actorOf(access), async (manager) => {
      const { affected } = await manager.update(
        WorkspaceEntity,
        { id: workspace.id, deletedAt: IsNull() },
        { deletedAt: new Date() },
      );
      if (affected !== 1) throw notFound('workspace');
      return {
        result: undefined,
        audit: [audit('workspace.deleted', workspace, { before: { name: workspace.name, slug: workspace.slug } })],
        events: [{ topic: 'workspace.changed', payload: { workspaceId: workspace.id } }],
      };
    });
  }

  /** Undoes {@link remove}, for an owner. Throws `not_found` for what is not in the trash or not the caller's, `role_too_low`. */
  async restore(caller: Caller, workspaceId: Id): Promise<WorkspaceDto> {
    const { userId } = caller.principal;
    return this.transaction.run(actorOf(caller), async (manager) => {
      // Locked, so that the purge either comes after this or has taken place.
      const workspace = await manager.findOne(WorkspaceEntity, {
        where: { id: workspaceId, deletedAt: Not(IsNull()) },
        lock: { mode: 'for_no_key_update' },
      });
      const member = workspace && (await manager.findOneBy(MemberEntity, { workspaceId, userId }));
      if (!member) throw notFound('workspace');
      if (!mayDo(member.role, 'workspace:delete'))
        throw new Problem('role_too_low', { detail: 'Only an owner can bring a workspace back.' });
      await manager.update(WorkspaceEntity, { id: workspaceId }, { deletedAt: null });
      return {
        result: toDto({ ...workspace, deletedAt: null }, member.role),
        audit: [audit('workspace.restored', workspace, {})],
        events: [{ topic: 'workspace.changed', payload: { workspaceId } }],
      };
    });
  }

  private async find({ workspaceId }: Access): Promise<WorkspaceEntity> {
    const workspace = await this.workspaces.findOneBy({ id: workspaceId, deletedAt: IsNull() });
    if (!workspace) throw notFound('workspace'); // deleted since the guard looked
    return workspace;
  }
}

async function insertWithFreeSlug(manager: AuditedManager, name: string): Promise<WorkspaceEntity> {
  const now = new Date();
  for (const slug of slugCandidates(name)) {
    const workspace = {
      id: newId(),
      name,
      slug,
      timeZone: DEFAULT_TIME_ZONE,
      historyDays: null,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    };
    // A refused insert would end the transaction; ON CONFLICT DO NOTHING only inserts nothing.
    const inserted = await manager
      .createQueryBuilder()
      .insert()
      .into(WorkspaceEntity)
      .values(workspace)
      .orIgnore()
      .returning('id')
      .execute();
    if ((inserted.raw as readonly unknown[]).length === 1) return workspace;
  }
  throw new Error('unreachable: the candidates never end');
}

const audit = (
  action: string,
  { id, name }: WorkspaceEntity,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({
  workspaceId: id,
  action,
  resource: { type: 'workspace', id, name },
  ...change,
});

type Settings = Partial<Pick<WorkspaceEntity, 'name' | 'timeZone' | 'historyDays'>>;

/** What of the wishes is not so yet. */
function changed(before: WorkspaceEntity, { name, timeZone, historyDays }: UpdateWorkspaceDto): Settings {
  return {
    ...(name === undefined || name === before.name ? {} : { name }),
    ...(timeZone === undefined || timeZone === before.timeZone ? {} : { timeZone }),
    ...(historyDays === undefined || historyDays === before.historyDays ? {} : { historyDays }),
  };
}

/** The same settings as they were. */
const namely = ({ name, timeZone, historyDays }: WorkspaceEntity, change: Settings): Settings => ({
  ...('name' in change ? { name } : {}),
  ...('timeZone' in change ? { timeZone } : {}),
  ...('historyDays' in change ? { historyDays } : {}),
});

const toDto = (
  { id, name, slug, timeZone, historyDays, createdAt, updatedAt }: WorkspaceEntity,
  role: Role,
): WorkspaceDto => ({
  id,
  name,
  slug,
  role,
  timeZone,
  historyDays,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
