import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository, type EntityManager } from 'typeorm';
import {
  idOfCursor,
  idPage,
  invalid,
  must,
  newId,
  notFound,
  Problem,
  type Access,
  type Id,
  type PageQuery,
  type Role,
} from '../../../common/index.js';
import {
  actorOf,
  isUniqueViolation,
  AuditedTransaction,
  type AuditedManager,
  type AuditEntry,
  type OutboxEvent,
} from '../../../database/main/index.js';
import { toPersonDto, UsersService } from '../../users/index.js';
import type { AddMemberDto, MemberDto, MemberListDto, UpdateMemberDto } from '../dto/members.dto.js';
import { WorkspaceEntity } from '../workspace.entity.js';
import { MemberEntity } from './member.entity.js';
import { requireGrant } from './roles.js';

/** The people of a workspace and their roles. At every moment at least one of them is an owner. */
@Injectable()
export class MembersService {
  constructor(
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly users: UsersService,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** The members, oldest membership first. */
  async list({ workspaceId }: Access, { limit, cursor }: PageQuery): Promise<MemberListDto> {
    const query = this.members
      .createQueryBuilder('member')
      .innerJoinAndSelect('member.user', 'user')
      .where({ workspaceId })
      .orderBy('member.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('member.id > :after', { after: idOfCursor(cursor) });
    const found = await query.getMany();
    return idPage(
      found.map((member) => toDto(member)),
      limit,
    );
  }

  /** Makes a person with an account a member at once. Throws `already_member`, and 422 when nobody has that address. */
  async add(access: Access, { email, role }: AddMemberDto): Promise<MemberDto> {
    requireGrant(access.role, role);
    const user = await this.users.findActiveByEmail(email);
    if (!user) throw nobodyHas(email);
    return this.transaction.run(actorOf(access), async (manager) => {
      requireGrant(await lockAndReadRole(manager, access), role);
      const now = new Date();
      const { workspaceId } = access;
      const member = { id: newId(), workspaceId, userId: user.id, user, role, createdAt: now, updatedAt: now };
      await insertMember(manager, member);
      return {
        result: toDto(member),
        audit: [audit('member.added', member, { after: { role } })],
        events: [changed(member)],
      };
    });
  }

  /** Gives a member another role. Throws `role_too_low`, and `last_owner` for the only owner. */
  async update(access: Access, memberId: Id, { role }: UpdateMemberDto): Promise<MemberDto> {
    const before = await findMember(this.members.manager, access, memberId);
    if (role === undefined || role === before.role) return toDto(before);
    return this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      const member = await findMember(manager, access, memberId);
      requireGrant(acting, member.role, role);
      if (member.role === 'owner') await requireAnotherOwner(manager, member);
      await manager.update(MemberEntity, { id: member.id }, { role, updatedAt: new Date() });
      return {
        result: toDto(member, role),
        audit: [audit('member.updated', member, { before: { role: member.role }, after: { role } })],
        events: [changed(member)],
      };
    });
  }

  /** Removes a member; anybody may remove himself. Throws `role_too_low`, and `last_owner` for the only owner. */
  async remove(access: Access, memberId: Id): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      const member = await findMember(manager, access, memberId);
      if (member.userId !== access.principal.userId) requireGrant(acting, member.role);
      if (member.role === 'owner') await requireAnotherOwner(manager, member);
      await manager.delete(MemberEntity, { id: member.id });
      const entry = audit('member.removed', member, { before: { role: member.role } });
      return { result: undefined, audit: [entry], events: [changed(member)] };
    });
  }
}

/**
 * Makes changes of one workspace's members go one after the other, and tells the caller's role as it is then: the one in
 * `access` may be seconds old. Does not hinder reads, nor inserts that refer to the workspace.
 */
async function lockAndReadRole(manager: EntityManager, { workspaceId, principal }: Access): Promise<Role> {
  const workspace = await manager.findOne(WorkspaceEntity, {
    where: { id: workspaceId, deletedAt: IsNull() },
    lock: { mode: 'for_no_key_update' },
  });
  const acting = workspace && (await manager.findOneBy(MemberEntity, { workspaceId, userId: principal.userId }));
  if (!acting) throw notFound('workspace');
  return acting.role;
}

async function findMember(manager: EntityManager, { workspaceId }: Access, id: Id): Promise<MemberEntity> {
  const member = await manager.findOne(MemberEntity, { where: { id, workspaceId }, relations: { user: true } });
  if (!member) throw notFound('member');
  return member;
}

async function requireAnotherOwner(manager: EntityManager, { workspaceId }: MemberEntity): Promise<void> {
  const owners = await manager.countBy(MemberEntity, { workspaceId, role: 'owner' });
  if (owners > 1) return;
  throw new Problem('last_owner', { detail: 'Make another member an owner first.' });
}

async function insertMember(manager: AuditedManager, { user, ...member }: MemberEntity): Promise<void> {
  try {
    await manager.insert(MemberEntity, member);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Problem('already_member', { detail: `${user?.email ?? 'This person'} is a member already.` });
  }
}

const nobodyHas = (email: string): Problem =>
  invalid([
    {
      pointer: '/email',
      code: 'not_registered',
      detail: `Nobody with the address ${email} has an account yet. Ask them to register first.`,
    },
  ]);

const personOf = (member: MemberEntity) => must(member.user, 'members are read with their person');

const audit = (action: string, member: MemberEntity, change: Pick<AuditEntry, 'before' | 'after'>): AuditEntry => ({
  workspaceId: member.workspaceId,
  action,
  resource: { type: 'member', id: member.id, name: personOf(member).name },
  ...change,
});

const changed = ({ workspaceId, userId }: MemberEntity): OutboxEvent => ({
  topic: 'member.changed',
  payload: { workspaceId, userId },
});

const toDto = (member: MemberEntity, role = member.role): MemberDto => ({
  id: member.id,
  user: toPersonDto(personOf(member)),
  role,
  status: 'active',
  createdAt: member.createdAt.toISOString(),
});
