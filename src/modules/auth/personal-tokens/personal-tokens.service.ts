import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, LessThan, Repository } from 'typeorm';
import {
  idOfCursor,
  idPage,
  invalid,
  newId,
  notFound,
  Problem,
  type Caller,
  type Id,
  type PageQuery,
} from '../../../common/index.js';
import {
  AuditedTransaction,
  ownActorOf,
  type AuditedManager,
  type AuditEntry,
  type OutboxEvent,
} from '../../../database/main/index.js';
import { PasswordHasher, UsersService, wrongPassword } from '../../users/index.js';
import type { Ended } from '../sessions/sessions.service.js';
import { sessionEnded } from '../tokens/problems.js';
import {
  DEFAULT_DAYS,
  MAX_DAYS,
  type CreatedPersonalTokenDto,
  type CreatePersonalTokenDto,
  type PersonalTokenDto,
  type PersonalTokenListDto,
} from './personal-token.dto.js';
import { PersonalTokenEntity } from './personal-token.entity.js';
import { newTokenText } from './token-text.js';

/** Of one person. */
const MAX_TOKENS = 50;
const DAY_MS = 86_400_000;

/** Use cases of a person's own tokens. */
@Injectable()
export class PersonalTokensService {
  constructor(
    @InjectRepository(PersonalTokenEntity) private readonly tokens: Repository<PersonalTokenEntity>,
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly transaction: AuditedTransaction,
  ) {}

  /**
   * The token itself is told here and kept nowhere. Tokens that expired are swept out on the way.
   * @throws Problem `invalid_credentials` wrong password, `limit_reached`, 422
   */
  async create(caller: Caller, input: CreatePersonalTokenDto): Promise<CreatedPersonalTokenDto> {
    const { userId } = caller.principal;
    const createdAt = new Date();
    const expiresAt = expiryOf(input, createdAt);
    if (!(await this.hasher.owner(() => this.users.findWithPassword({ id: userId }), input.password)))
      throw wrongPassword();
    const id = newId();
    const { token, prefix, hash } = newTokenText(id);
    return this.transaction.run(ownActorOf(caller), async (manager) => {
      if (!(await this.users.lockAlone(manager, userId))) throw sessionEnded();
      await manager.delete(PersonalTokenEntity, { userId, expiresAt: LessThan(createdAt) });
      if ((await manager.countBy(PersonalTokenEntity, { userId })) >= MAX_TOKENS)
        throw new Problem('limit_reached', { detail: `A person has at most ${MAX_TOKENS} personal tokens.` });
      const { name, scope, workspaceIds } = input;
      const entity = {
        ...{ id, userId, name, prefix, hash, scope, workspaceIds: workspaceIds ?? null },
        ...{ expiresAt, createdAt, lastUsedAt: null },
      };
      await manager.insert(PersonalTokenEntity, entity);
      return {
        result: { ...toDto(entity), token },
        audit: [tokenAudit('personal_token.created', entity, { after: described(entity) })],
        events: [],
      };
    });
  }

  /** The caller's, newest first; also those that expired lately. */
  async list({ principal }: Caller, { limit, cursor }: PageQuery): Promise<PersonalTokenListDto> {
    const query = this.tokens
      .createQueryBuilder('token')
      .where({ userId: principal.userId })
      .orderBy('token.id', 'DESC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('token.id < :after', { after: idOfCursor(cursor) });
    return idPage((await query.getMany()).map(toDto), limit);
  }

  /** From now on it opens nothing, and its sockets end. @throws Problem `not_found`, also for one of somebody else */
  async revoke(caller: Caller, id: Id): Promise<void> {
    await this.transaction.run(ownActorOf(caller), async (manager) => {
      const { audit, events } = await this.end(manager, caller.principal.userId, id);
      const [first] = audit;
      if (!first) throw notFound('token');
      return { result: undefined, audit: [first], events };
    });
  }

  /** Revokes a person's tokens, or one of them, within the caller's transaction. */
  async end(manager: AuditedManager, userId: Id, id?: Id): Promise<Ended> {
    const ended = await manager.find(PersonalTokenEntity, {
      where: { userId, ...(id === undefined ? {} : { id }) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    await manager.delete(PersonalTokenEntity, { id: In(ended.map(({ id }) => id)) });
    return {
      audit: ended.map((token) => tokenAudit('personal_token.revoked', token, { before: described(token) })),
      events: ended.map(revoked),
    };
  }
}

/** @throws Problem 422 for a time that is too far away */
function expiryOf({ expiresAt }: CreatePersonalTokenDto, now: Date): Date {
  if (expiresAt === undefined) return new Date(now.getTime() + DEFAULT_DAYS * DAY_MS);
  const wanted = new Date(expiresAt);
  if (wanted.getTime() > now.getTime() + MAX_DAYS * DAY_MS)
    throw invalid([{ pointer: '/expiresAt', code: 'too_late', detail: `A token lasts ${MAX_DAYS} days at most.` }]);
  return wanted;
}

/** What listens to the end of sessions treats the token as one. */
const revoked = ({ id, userId }: PersonalTokenEntity): OutboxEvent => ({
  topic: 'session.revoked',
  payload: { sessionId: id, userId },
});

function toDto(token: PersonalTokenEntity): PersonalTokenDto {
  const { id, name, prefix, scope, workspaceIds, expiresAt, createdAt, lastUsedAt } = token;
  return {
    ...{ id, name, prefix, scope, workspaceIds },
    expiresAt: expiresAt.toISOString(),
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

const described = ({ prefix, scope, workspaceIds, expiresAt }: PersonalTokenEntity): object => ({
  ...{ prefix, scope, workspaceIds, expiresAt: expiresAt.toISOString() },
});

const tokenAudit = (
  action: string,
  { id, name }: PersonalTokenEntity,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({ workspaceId: null, action, resource: { type: 'personal_token', id, name }, ...change });
