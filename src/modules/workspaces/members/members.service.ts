import { isDeepStrictEqual } from 'node:util';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Repository } from 'typeorm';
import { idOfCursor, idPage, notFound, Problem, ROLES, type Access, type Id, type PageQuery } from '../../../common/index.js'; // prettier-ignore
import { actorOf, AuditedTransaction, type AuditedManager } from '../../../database/main/index.js';
import { AccountDeletion, UsersService, type Released, type UserEntity } from '../../users/index.js';
import type { AddMemberDto, InvitedDto, MemberDto, MemberListDto, UpdateMemberDto } from '../dto/members.dto.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { WorkspaceEntity } from '../workspace.entity.js';
import { MemberEntity } from './member.entity.js';
import {
  findMember,
  insertMember,
  lockAndReadRole,
  memberAudit,
  memberChanged,
  hasAnotherOwner,
  requireAnotherOwner,
  toMemberDto,
  toMemberDtoFor,
} from './membership.js';
import { requireGrant } from './roles.js';

/** The people of a workspace and their roles. At every moment at least one of them is an owner. */
@Injectable()
export class MembersService implements OnModuleInit {
  constructor(
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly users: UsersService,
    private readonly invitations: InvitationsService,
    private readonly deletion: AccountDeletion,
    private readonly transaction: AuditedTransaction,
  ) {}

  onModuleInit(): void {
    this.deletion.add((manager, user) => leaveEverything(manager, user));
  }

  /** The members, oldest membership first. */
  async list(access: Access, { limit, cursor }: PageQuery): Promise<MemberListDto> {
    const { workspaceId } = access;
    const query = this.members
      .createQueryBuilder('member')
      .innerJoinAndSelect('member.user', 'user')
      .where({ workspaceId })
      .orderBy('member.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('member.id > :after', { after: idOfCursor(cursor) });
    const found = await query.getMany();
    return idPage(
      found.map((member) => toMemberDtoFor(access, member)),
      limit,
    );
  }

  async get(access: Access, memberId: Id): Promise<MemberDto> {
    return toMemberDtoFor(access, await findMember(this.members.manager, access, memberId));
  }

  /** The workspace that a membership is in. */
  async workspaceOf(id: Id): Promise<Id | undefined> {
    return (await this.members.findOne({ where: { id }, select: { workspaceId: true } }))?.workspaceId;
  }

  /** Makes a person with an account a member at once, and invites anybody else. Throws `already_member`. */
  async add(access: Access, { email, role }: AddMemberDto): Promise<MemberDto | InvitedDto> {
    requireGrant(access.role, role);
    const known = await this.users.findByEmail(email);
    if (!known) return this.invitations.invite(access, email, role);
    return this.transaction.run(actorOf(access), async (manager) => {
      const user = await this.users.hold(manager, known.id);
      // Deleted at this very moment; the next call finds nobody and invites.
      if (!user) throw new Problem('conflict', { detail: 'The account is being deleted.' });
      const acting = await lockAndReadRole(manager, access);
      const superseded = await this.invitations.supersede(manager, access.workspaceId, email, acting);
      requireGrant(acting, role);
      const member = await insertMember(manager, access.workspaceId, user, role);
      return {
        result: toMemberDto(member),
        audit: [memberAudit('member.added', member, { after: { role } }), ...superseded],
        events: [memberChanged(member)],
      };
    });
  }

  /** Gives a member another role, or other attributes. Throws `role_too_low`, and `last_owner` for the only owner. */
  async update(access: Access, memberId: Id, input: UpdateMemberDto): Promise<MemberDto> {
    const before = await findMember(this.members.manager, access, memberId);
    if (Object.keys(changeOf(before, input)).length === 0) return toMemberDtoFor(access, before);
    return this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      const member = await findMember(manager, access, memberId);
      const change = changeOf(member, input);
      if (change.role) {
        requireGrant(acting, member.role, change.role);
        if (member.role === 'owner') await requireAnotherOwner(manager, member);
      }
      const after = { ...member, ...change, updatedAt: new Date() };
      await manager.update(MemberEntity, { id: member.id }, { ...change, updatedAt: after.updatedAt });
      const was = Object.fromEntries(Object.keys(change).map((key) => [key, member[key as keyof typeof change]]));
      return {
        result: toMemberDtoFor(access, after),
        audit: [memberAudit('member.updated', member, { before: was, after: { ...change } })],
        events: [memberChanged(member)],
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
      return { result: undefined, audit: [removalAudit(member)], events: [memberChanged(member)] };
    });
  }

  /**
   * Makes somebody who was removed the member that he was, as the audit log tells of it: under the same id, of which rules may speak.
   * @throws Problem `not_revertible` the log does not hold who it was; `role_too_low`, `already_member`; `not_found` there is no such account any more
   */
  async putBack(access: Access, memberId: Id, { userId, role, attributes }: Readonly<Record<string, unknown>>) {
    const was = ROLES.find((known) => known === role);
    if (typeof userId !== 'string' || was === undefined)
      throw new Problem('not_revertible', { detail: 'The log does not hold who it was: add the member again.' });
    return this.transaction.run(actorOf(access), async (manager) => {
      const user = await this.users.hold(manager, userId);
      if (!user) throw notFound('account');
      requireGrant(await lockAndReadRole(manager, access), was);
      const told = { id: memberId, attributes: { ...(attributes as MemberEntity['attributes']) } };
      const member = await insertMember(manager, access.workspaceId, user, was, told);
      return {
        result: undefined,
        audit: [memberAudit('member.added', member, { after: { role: was, attributes: member.attributes } })],
        events: [memberChanged(member)],
      };
    });
  }

  /** Makes a member an owner and the caller an admin, in one step. A workspace may have several owners; the others stay. */
  async transfer(access: Access, memberId: Id): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      requireGrant(acting, 'owner');
      const to = await findMember(manager, access, memberId);
      const own = await manager.findOneOrFail(MemberEntity, {
        where: { workspaceId: access.workspaceId, userId: access.principal.userId },
        relations: { user: true },
      });
      if (to.id === own.id) throw new Problem('conflict', { detail: 'You are an owner already.' });
      const updatedAt = new Date();
      await manager.update(MemberEntity, { id: to.id }, { role: 'owner', updatedAt });
      await manager.update(MemberEntity, { id: own.id }, { role: 'admin', updatedAt });
      return {
        result: undefined,
        audit: [
          memberAudit('member.updated', to, { before: { role: to.role }, after: { role: 'owner' } }),
          memberAudit('member.updated', own, { before: { role: own.role }, after: { role: 'admin' } }),
        ],
        events: [memberChanged(to), memberChanged(own)],
      };
    });
  }
}

/** With all that it takes to make somebody that member again. */
const removalAudit = (member: MemberEntity) => {
  const { userId, role, attributes } = member;
  return memberAudit('member.removed', member, { before: { userId, role, attributes } });
};

/** What becomes different. */
const changeOf = (
  member: MemberEntity,
  { role, attributes }: UpdateMemberDto,
): Partial<Pick<MemberEntity, 'role' | 'attributes'>> => ({
  ...(role === undefined || role === member.role ? {} : { role }),
  ...(attributes === undefined || isDeepStrictEqual(attributes, member.attributes) ? {} : { attributes }),
});

/** Ends all memberships of a person whose account is being deleted. Throws `last_owner` when a workspace would have no owner. */
async function leaveEverything(manager: AuditedManager, user: UserEntity): Promise<Released> {
  // The account is locked: nobody can make this person a member of something new meanwhile.
  const left = await manager.find(MemberEntity, { where: { userId: user.id } });
  const ids = left.map(({ workspaceId }) => workspaceId);
  await manager.find(WorkspaceEntity, {
    where: { id: In(ids), deletedAt: IsNull() },
    order: { id: 'ASC' }, // no two deletions wait in a circle
    lock: { mode: 'for_no_key_update' },
  });
  // Read again: a role may have changed before the lock.
  const members = await manager.find(MemberEntity, { where: { userId: user.id }, relations: { workspace: true } });
  for (const member of members) {
    if (member.role !== 'owner' || member.workspace?.deletedAt !== null) continue;
    if (!(await hasAnotherOwner(manager, member)))
      throw new Problem('last_owner', {
        detail: `You are the only owner of ${member.workspace.name}: make somebody else an owner, or delete it.`,
        extra: { workspaceId: member.workspaceId },
      });
  }
  await manager.delete(MemberEntity, { userId: user.id });
  const withPerson = members.map((member) => ({ ...member, user }));
  return {
    audit: withPerson.map(removalAudit),
    events: withPerson.map(memberChanged),
  };
}
