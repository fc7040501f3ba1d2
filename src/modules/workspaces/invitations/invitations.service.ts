import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Repository, type EntityManager } from 'typeorm';
import {
  hashSecretToken,
  idOfCursor,
  idPage,
  must,
  newId,
  newSecretToken,
  notFound,
  Problem,
  type Access,
  type Caller,
  type Id,
  type PageQuery,
  type Role,
} from '../../../common/index.js';
import { actorOf, AuditedTransaction, type AuditEntry, type AuditedManager } from '../../../database/main/index.js';
import { Mailer, type Message } from '../../mail/index.js';
import { UsersService } from '../../users/index.js';
import type { InvitationDto, InvitationListDto, InvitationPreviewDto } from '../dto/invitations.dto.js';
import type { AcceptedDto, InvitedDto } from '../dto/members.dto.js';
import { MemberEntity } from '../members/member.entity.js';
import {
  insertMember,
  lockAndReadRole,
  lockWorkspace,
  memberAudit,
  memberChanged,
  toMemberDto,
} from '../members/membership.js';
import { mayGrant, requireGrant } from '../members/roles.js';
import { InvitationEntity } from './invitation.entity.js';

const VALID_DAYS = 7;

/** Links by which people without an account become members. Each works once, for a week, for the address that was invited. */
@Injectable()
export class InvitationsService implements OnModuleInit {
  constructor(
    @InjectRepository(InvitationEntity) private readonly invitations: Repository<InvitationEntity>,
    private readonly users: UsersService,
    private readonly mailer: Mailer,
    private readonly transaction: AuditedTransaction,
  ) {}

  onModuleInit(): void {
    this.mailer.register('invitation', (_to, data) => Promise.resolve(invitationMail(data)));
  }

  /** Invites an address, in the place of an earlier invitation for it. The link is told here and by mail, and kept nowhere. */
  async invite(access: Access, email: string, role: Role): Promise<InvitedDto> {
    const token = newSecretToken();
    const inviteUrl = this.mailer.link(`/invitations/${token}`);
    return this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      requireGrant(acting, role);
      const superseded = await this.supersede(manager, access.workspaceId, email, acting);
      const workspace = await lockWorkspace(manager, access.workspaceId);
      const invitation = open(access, email, role, token);
      await manager.insert(InvitationEntity, invitation);
      const inviter = access.principal.name;
      const data = { inviteUrl, inviter, workspace: workspace.name, role };
      return {
        result: { ...toDto(invitation, inviter), user: null, inviteUrl },
        audit: [audit('invitation.created', invitation, { after: { email, role } }), ...superseded],
        events: [await this.mailer.order(manager, { template: 'invitation', to: email, data })],
      };
    });
  }

  /**
   * Ends the open invitation of an address in the place of which something else comes, within the caller's transaction; hands
   * back the entries for the audit log. Throws `role_too_low` for one whose role somebody of this role could not give.
   */
  async supersede(
    manager: AuditedManager,
    workspaceId: Id,
    email: string,
    acting: Role,
  ): Promise<readonly AuditEntry[]> {
    const earlier = await manager.findOneBy(InvitationEntity, { workspaceId, email });
    if (!earlier) return [];
    requireGrant(acting, earlier.role);
    await manager.delete(InvitationEntity, { id: earlier.id });
    return [audit('invitation.superseded', earlier, { before: { email, role: earlier.role } })];
  }

  /** The open invitations, oldest first. */
  async list({ workspaceId }: Access, { limit, cursor }: PageQuery): Promise<InvitationListDto> {
    const query = this.invitations
      .createQueryBuilder('invitation')
      .innerJoinAndSelect('invitation.inviter', 'inviter')
      .where({ workspaceId, expiresAt: MoreThan(new Date()) })
      .orderBy('invitation.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('invitation.id > :after', { after: idOfCursor(cursor) });
    const found = await query.getMany();
    return idPage(
      found.map((invitation) => toDto(invitation, inviterOf(invitation).name)),
      limit,
    );
  }

  /** One open invitation. */
  async get({ workspaceId }: Access, id: Id): Promise<InvitationDto> {
    const where = { id, workspaceId, expiresAt: MoreThan(new Date()) };
    const found = await this.invitations.findOne({ where, relations: { inviter: true } });
    if (!found) throw notFound('invitation');
    return toDto(found, inviterOf(found).name);
  }

  /** The workspace that an invitation leads to. */
  async workspaceOf(id: Id): Promise<Id | undefined> {
    return (await this.invitations.findOne({ where: { id }, select: { workspaceId: true } }))?.workspaceId;
  }

  /** Ends an invitation. Throws `role_too_low` for one whose role the caller could not give. */
  async revoke(access: Access, id: Id): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const acting = await lockAndReadRole(manager, access);
      const invitation = await manager.findOneBy(InvitationEntity, { id, workspaceId: access.workspaceId });
      if (!invitation) throw notFound('invitation');
      requireGrant(acting, invitation.role);
      await manager.delete(InvitationEntity, { id });
      const { email, role } = invitation;
      return {
        result: undefined,
        audit: [audit('invitation.revoked', invitation, { before: { email, role } })],
        events: [],
      };
    });
  }

  /** What the holder of a link may see before signing in. Unknown, expired, used and revoked are the same 404. */
  async preview(token: string): Promise<InvitationPreviewDto> {
    const found = await this.invitations.findOne({
      where: { tokenHash: hashSecretToken(token), expiresAt: MoreThan(new Date()), workspace: { deletedAt: IsNull() } },
      relations: { workspace: true, inviter: true },
    });
    if (!found || !(await inviterMayStill(this.invitations.manager, found))) throw notFound('invitation');
    const { email, role, expiresAt } = found;
    const workspaceName = must(found.workspace, 'it was joined').name;
    return { workspaceName, email, role, invitedBy: inviterOf(found).name, expiresAt: expiresAt.toISOString() };
  }

  /**
   * Makes the caller a member. Everything is asked again: that the link is open, that the workspace is there, that the
   * inviter may still give the role. Throws `not_found`, `invitation_for_other` for another address, `already_member`.
   */
  async accept(caller: Caller, token: string): Promise<AcceptedDto> {
    const { userId } = caller.principal;
    return this.transaction.run(actorOf(caller), async (manager) => {
      const user = await this.users.hold(manager, userId);
      const where = { tokenHash: hashSecretToken(token), expiresAt: MoreThan(new Date()) };
      const found = user && (await manager.findOneBy(InvitationEntity, where));
      if (!found) throw notFound('invitation');
      await lockWorkspace(manager, found.workspaceId, 'invitation');
      // Under the lock: of several calls at once, and of a call beside a revocation, one finds it.
      const invitation = await manager.findOneBy(InvitationEntity, where);
      if (!invitation || !(await inviterMayStill(manager, invitation))) throw notFound('invitation');
      if (invitation.email !== user.email)
        throw new Problem('invitation_for_other', { detail: 'This invitation is for another e-mail address.' });
      const { workspaceId, role } = invitation;
      const member = await insertMember(manager, workspaceId, user, role);
      await manager.delete(InvitationEntity, { id: invitation.id });
      return {
        result: { ...toMemberDto(member), workspaceId },
        audit: [
          audit('invitation.accepted', invitation, { after: { email: invitation.email, role } }),
          memberAudit('member.added', member, { after: { role } }),
        ],
        events: [memberChanged(member)],
      };
    });
  }
}

/** Whether whoever invited is still somebody who may give this role. */
async function inviterMayStill(manager: EntityManager, { workspaceId, invitedBy, role }: InvitationEntity) {
  const inviter = await manager.findOneBy(MemberEntity, { workspaceId, userId: invitedBy });
  return inviter !== null && mayGrant(inviter.role, role);
}

function open({ workspaceId, principal }: Access, email: string, role: Role, token: string): InvitationEntity {
  const createdAt = new Date();
  const expiresAt = new Date(createdAt.getTime() + VALID_DAYS * 86_400_000);
  const tokenHash = hashSecretToken(token);
  return { id: newId(), workspaceId, email, role, tokenHash, invitedBy: principal.userId, createdAt, expiresAt };
}

const inviterOf = (invitation: InvitationEntity) => must(invitation.inviter, 'it was joined');

const toDto = (invitation: InvitationEntity, inviterName: string): InvitationDto => ({
  id: invitation.id,
  email: invitation.email,
  role: invitation.role,
  status: 'invited',
  invitedBy: { id: invitation.invitedBy, name: inviterName },
  createdAt: invitation.createdAt.toISOString(),
  expiresAt: invitation.expiresAt.toISOString(),
});

const audit = (
  action: string,
  { workspaceId, id, email }: InvitationEntity,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({ workspaceId, action, resource: { type: 'invitation', id, name: email }, ...change });

const invitationMail = ({ inviter, workspace, role, inviteUrl }: Readonly<Record<string, string>>): Message => ({
  subject: `${inviter ?? ''} invites you to ${workspace ?? ''}`,
  text: `Hello,

${inviter ?? ''} invites you to work in "${workspace ?? ''}" as ${role ?? ''}. Sign in or register with this address, and accept here within ${VALID_DAYS} days:

${inviteUrl ?? ''}
`,
});
