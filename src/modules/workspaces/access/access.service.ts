import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Repository } from 'typeorm';
import {
  FreshCache,
  Metrics,
  isId,
  notFound,
  requirePermission,
  type Access,
  type Caller,
  type Id,
  type Member,
  type Permission,
  type Principal,
  type Role,
} from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { normalizeEmail } from '../../users/index.js';
import { MemberEntity } from '../members/member.entity.js';

/**
 * How long this node may believe in a membership when no event reaches it. A socket that was let in on this belief is looked
 * at again within 2 s; together that stays below the 5 s that are promised.
 */
const MAX_AGE_MS = 3_000;
const MAX_ENTRIES = 50_000;

/** A person in a workspace. */
export interface Membership {
  readonly userId: Id;
  readonly workspaceId: Id;
}

/** What a request has to know of a member and the workspace. */
interface Standing {
  readonly role: Role;
  readonly member: Member;
  readonly timeZone: string;
}

/** Who may do what where, asked on every request and every socket message: from memory, at most 3 s old, at once after an event. */
@Injectable()
export class AccessService implements OnModuleInit, OnModuleDestroy {
  private readonly standings = new FreshCache<Standing>({
    maxEntries: MAX_ENTRIES,
    maxAgeMs: MAX_AGE_MS,
    load: (key) => this.load(key),
  });
  private stopListening: (() => void)[] = [];

  constructor(
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('memberships', this.standings);
  }

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('member.changed', ({ workspaceId, userId }) => this.standings.drop(keyOf(workspaceId, userId))),
      this.bus.on('workspace.changed', ({ workspaceId }) => this.standings.dropPrefix(workspaceId)),
    ];
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
  }

  /**
   * The right to act in a workspace, if the caller's role gives this permission. Throws `not_found` for somebody who is not a member, in the
   * name of `what` he asked for, and `role_too_low` for a member whose role is not enough. A personal token is asked for both, too: `not_found`
   * for a workspace that it does not lead to, `token_scope_too_low`.
   */
  async require(caller: Caller, workspaceId: Id, needed: Permission, what = 'workspace'): Promise<Access> {
    const { principal, request } = caller;
    const standing = await this.standings.get(keyOf(workspaceId, principal.userId));
    if (standing === undefined || !leadsTo(principal, workspaceId)) throw notFound(what);
    const { role, member, timeZone } = standing;
    requirePermission({ role, principal }, needed);
    return { principal, workspaceId, role, member, timeZone, request };
  }

  /**
   * What a member would come with: for looks at what somebody else sees. Whoever acts stays the one who asks, so it is for reading only.
   * @throws Problem `not_found` no such member of this workspace
   */
  async asMember(access: Access, memberId: Id): Promise<Access> {
    const { workspaceId, principal } = access;
    const found = await this.members.findOne({ where: { id: memberId, workspaceId }, relations: { user: true } });
    if (!found?.user) throw notFound('member');
    const { id, userId, role, attributes, user } = found;
    return { ...access, principal: { ...principal, userId, name: user.name }, role, member: { id, attributes } };
  }

  /** The memberships of these people in these workspaces as they are now: one query, not from memory. For what outlives a request. */
  async memberships(userIds: readonly Id[], workspaceIds: readonly Id[]): Promise<readonly Membership[]> {
    return this.members
      .createQueryBuilder('member')
      .select('member.userId', 'userId')
      .addSelect('member.workspaceId', 'workspaceId')
      .innerJoin('member.workspace', 'workspace', 'workspace.deletedAt is null')
      .where('member.userId = any(:userIds)', { userIds: [...userIds] })
      .andWhere('member.workspaceId = any(:workspaceIds)', { workspaceIds: [...workspaceIds] })
      .getRawMany<Membership>();
  }

  /** Those of the ids that are ids of members of the workspace. One query, not from memory. */
  async membersAmong(workspaceId: Id, memberIds: readonly Id[]): Promise<ReadonlySet<Id>> {
    const found = await this.members.find({ select: { id: true }, where: { id: In([...memberIds]), workspaceId } });
    return new Set(found.map(({ id }) => id));
  }

  /** Those of the memberships that there are no more; a workspace in the trash keeps its members. One query, not from memory. */
  async thoseWhoLeft(memberships: readonly Membership[]): Promise<readonly Membership[]> {
    const found = await this.members.find({
      select: { id: true, userId: true, workspaceId: true },
      where: {
        userId: In([...new Set(memberships.map(({ userId }) => userId))]),
        workspaceId: In([...new Set(memberships.map(({ workspaceId }) => workspaceId))]),
      },
    });
    const there = new Set(found.map(({ workspaceId, userId }) => keyOf(workspaceId, userId)));
    return memberships.filter(({ workspaceId, userId }) => !there.has(keyOf(workspaceId, userId)));
  }

  /** The members who have one of these addresses, by the address as it is given here. */
  async membersByEmail(workspaceId: Id, given: readonly string[]): Promise<ReadonlyMap<string, Id>> {
    const normal = new Map(given.map((email) => [email, normalizeEmail(email)]));
    const found = await this.members
      .createQueryBuilder('member')
      .innerJoin('member.user', 'person')
      .select('person.email', 'email')
      .addSelect('person.id', 'id')
      .where('member.workspaceId = :workspaceId', { workspaceId })
      .andWhere('person.email = any(:emails)', { emails: [...new Set(normal.values())] })
      .getRawMany<{ email: string; id: Id }>();
    const ids = new Map(found.map(({ email, id }) => [email, id]));
    return new Map(
      [...normal].flatMap(([email, normalized]) => {
        const id = ids.get(normalized);
        return id === undefined ? [] : [[email, id] as const];
      }),
    );
  }

  private async load(key: string): Promise<Standing | undefined> {
    const [workspaceId, userId] = key.split('/');
    if (!isId(workspaceId) || !isId(userId)) return undefined;
    const member = await this.members.findOne({
      where: { workspaceId, userId, workspace: { deletedAt: IsNull() } },
      relations: { workspace: true },
      select: { id: true, role: true, attributes: true, workspace: { id: true, timeZone: true } },
    });
    if (!member?.workspace) return undefined;
    const { id, role, attributes, workspace } = member;
    return { role, member: { id, attributes }, timeZone: workspace.timeZone };
  }
}

/** Whether a personal token is not kept from the workspace; a session never is. */
const leadsTo = ({ token }: Principal, workspaceId: Id): boolean => token?.workspaceIds?.includes(workspaceId) ?? true;

/** The workspace first, so that all memberships of a workspace share a prefix. */
const keyOf = (workspaceId: Id, userId: Id): string => `${workspaceId}/${userId}`;
