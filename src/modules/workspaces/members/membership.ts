import { IsNull, Not, type EntityManager } from 'typeorm';
import { mayDo, must, newId, notFound, Problem, type Access, type Id, type Role } from '../../../common/index.js';
import {
  isUniqueViolation,
  type AuditEntry,
  type OutboxEvent,
  type AuditedManager,
} from '../../../database/main/index.js';
import { toPersonDto, type UserEntity } from '../../users/index.js';
import type { MemberDto } from '../dto/members.dto.js';
import { WorkspaceEntity } from '../workspace.entity.js';
import { MemberEntity } from './member.entity.js';

/** The steps that changes of memberships are made of; all of them within the caller's transaction. */

/**
 * Makes changes of one workspace's members go one after the other. Does not hinder reads, nor inserts that refer to the
 * workspace. Throws `not_found` for one that is deleted.
 */
export async function lockWorkspace(
  manager: AuditedManager,
  workspaceId: Id,
  what = 'workspace',
): Promise<WorkspaceEntity> {
  const workspace = await manager.findOne(WorkspaceEntity, {
    where: { id: workspaceId, deletedAt: IsNull() },
    lock: { mode: 'for_no_key_update' },
  });
  if (!workspace) throw notFound(what);
  return workspace;
}

/** {@link lockWorkspace}, and the caller's role as it is then: the one in `access` may be seconds old. */
export async function lockAndReadRole(manager: AuditedManager, { workspaceId, principal }: Access): Promise<Role> {
  await lockWorkspace(manager, workspaceId);
  const acting = await manager.findOneBy(MemberEntity, { workspaceId, userId: principal.userId });
  if (!acting) throw notFound('workspace');
  return acting.role;
}

/** A member of this workspace, with the person. */
export async function findMember(manager: EntityManager, { workspaceId }: Access, id: Id): Promise<MemberEntity> {
  const member = await manager.findOne(MemberEntity, { where: { id, workspaceId }, relations: { user: true } });
  if (!member) throw notFound('member');
  return member;
}

/** Whether somebody else owns the workspace, too, who can act: a suspended owner is none. */
export const hasAnotherOwner = (manager: EntityManager, { id, workspaceId }: MemberEntity): Promise<boolean> =>
  manager.existsBy(MemberEntity, { id: Not(id), workspaceId, role: 'owner', user: { status: 'active' } });

export async function requireAnotherOwner(manager: AuditedManager, member: MemberEntity): Promise<void> {
  if (await hasAnotherOwner(manager, member)) return;
  throw new Problem('last_owner', { detail: 'Make another member an owner first.' });
}

/** Throws `already_member`. */
export async function insertMember(
  manager: AuditedManager,
  workspaceId: Id,
  user: UserEntity,
  role: Role,
  told: Partial<Pick<MemberEntity, 'id' | 'attributes'>> = {},
): Promise<MemberEntity> {
  const now = new Date();
  const row = { id: newId(), workspaceId, userId: user.id, role, attributes: {}, createdAt: now, updatedAt: now, ...told }; // prettier-ignore
  try {
    await manager.insert(MemberEntity, row);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Problem('already_member', { detail: `${user.email} is a member already.` });
  }
  return { ...row, user };
}

const personOf = (member: MemberEntity) => must(member.user, 'members are read with their person');

export const memberAudit = (
  action: string,
  member: MemberEntity,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({
  workspaceId: member.workspaceId,
  action,
  resource: { type: 'member', id: member.id, name: personOf(member).name },
  ...change,
});

export const memberChanged = ({ workspaceId, userId }: Pick<MemberEntity, 'workspaceId' | 'userId'>): OutboxEvent => ({
  topic: 'member.changed',
  payload: { workspaceId, userId },
});

export const toMemberDto = (member: MemberEntity): MemberDto => ({
  id: member.id,
  user: toPersonDto(personOf(member)),
  role: member.role,
  status: personOf(member).status === 'suspended' ? 'suspended' : 'active',
  createdAt: member.createdAt.toISOString(),
});

/** The same for somebody who may be told the attributes. */
export const toMemberDtoFor = ({ role, principal }: Access, member: MemberEntity): MemberDto => ({
  ...toMemberDto(member),
  ...(mayDo(role, 'members:manage') || member.userId === principal.userId ? { attributes: member.attributes } : {}),
});
