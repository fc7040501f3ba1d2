import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Not, Repository, type FindOptionsWhere } from 'typeorm';
import { Problem, type Id } from '../../common/index.js';
import { AuditedTransaction, isUniqueViolation, type AuditedManager } from '../../database/main/index.js';
import { UserEntity } from './user.entity.js';

export interface NewUser {
  readonly id: Id;
  /** Normalised. */
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
}

/** People with accounts. E-mail addresses are expected in normalised form (see `normalizeEmail`). */
@Injectable()
export class UsersService implements OnModuleInit {
  constructor(
    @InjectRepository(UserEntity) private readonly users: Repository<UserEntity>,
    private readonly transaction: AuditedTransaction,
  ) {}

  onModuleInit(): void {
    this.transaction.holdActorsBy(async (manager, actorId) => {
      const where = { id: actorId, status: 'active' as const };
      if (await manager.findOne(UserEntity, { where, select: { id: true }, lock: { mode: 'pessimistic_read' } }))
        return;
      throw new Problem('unauthenticated', { detail: 'Your account may not do anything any more.' });
    });
  }

  /** The account with this id, if it can be signed in to. */
  findActive(id: Id): Promise<UserEntity | null> {
    return this.users.findOneBy({ id, status: 'active' });
  }

  /** The account of an address, also a suspended one, or null. */
  findByEmail(email: string): Promise<UserEntity | null> {
    return this.users.findOneBy({ email, status: Not('deleted') });
  }

  /** The account that can be signed in to, or null. */
  findActiveByEmail(email: string): Promise<UserEntity | null> {
    return this.users.findOneBy({ email, status: 'active' });
  }

  /** The account that can be signed in to, with its password hash, for the check of a password and nothing else. */
  findWithPassword(which: { readonly email: string } | { readonly id: Id }): Promise<UserEntity | null> {
    const where: FindOptionsWhere<UserEntity> = { ...which, status: 'active' };
    return this.users.findOne({
      where,
      select: { id: true, email: true, name: true, status: true, createdAt: true, updatedAt: true, passwordHash: true },
    });
  }

  /** Whether an address is in use by an account; those of deleted ones are free again. */
  isEmailTaken(email: string): Promise<boolean> {
    return this.users.existsBy({ email });
  }

  /** Inserts an account within the caller's transaction. Throws `email_taken`, also when somebody else was faster by a moment. */
  async create(manager: AuditedManager, { id, email, name, passwordHash }: NewUser): Promise<UserEntity> {
    const now = new Date();
    const user = { id, email, name, passwordHash, status: 'active' as const, createdAt: now, updatedAt: now };
    try {
      await manager.insert(UserEntity, user);
    } catch (error) {
      if (isUniqueViolation(error, 'users_email_key')) throw emailTaken();
      throw error;
    }
    return user;
  }

  /**
   * Keeps an account from being deleted until the end of the caller's transaction; null when it is none any more. Lock people
   * before workspaces: everybody does, so nobody waits in a circle.
   */
  hold(manager: AuditedManager, id: Id): Promise<UserEntity | null> {
    return manager.findOne(UserEntity, { where: { id, status: Not('deleted') }, lock: { mode: 'pessimistic_read' } });
  }

  /** Keeps an active account for the caller's transaction alone; null when it is none any more. */
  lockAlone(manager: AuditedManager, id: Id): Promise<UserEntity | null> {
    return manager.findOne(UserEntity, { where: { id, status: 'active' }, lock: { mode: 'pessimistic_write' } });
  }

  /** Whether this is still the password of an active account; it stays so until the end of the caller's transaction. */
  async holdPassword(manager: AuditedManager, id: Id, passwordHash: string): Promise<boolean> {
    const where = { id, status: 'active' as const, passwordHash };
    return (
      (await manager.findOne(UserEntity, { where, select: { id: true }, lock: { mode: 'pessimistic_read' } })) !== null
    );
  }

  /** Replaces the password within the caller's transaction; with `instead` only if it is still that one. True when it was. */
  async setPassword(manager: AuditedManager, id: Id, passwordHash: string, instead?: string): Promise<boolean> {
    const { affected } = await manager.update(
      UserEntity,
      { id, status: 'active', ...(instead === undefined ? {} : { passwordHash: instead }) },
      { passwordHash, updatedAt: new Date() },
    );
    return affected === 1;
  }
}

/** 409: the address belongs to an account already. */
export const emailTaken = (): Problem =>
  new Problem('email_taken', { detail: 'An account with this e-mail address exists. Sign in instead.' });
