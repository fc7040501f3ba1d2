import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Problem, type Id } from '../../common/index.js';
import { isUniqueViolation, type AuditedManager } from '../../database/main/index.js';
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
export class UsersService {
  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  /** The account with this id, whatever its status. */
  findById(id: Id): Promise<UserEntity | null> {
    return this.users.findOneBy({ id });
  }

  /** The account that can be signed in to and be made a member, or null. */
  findActiveByEmail(email: string): Promise<UserEntity | null> {
    return this.users.findOneBy({ email, status: 'active' });
  }

  /** The account with its password hash, for the check of a password and nothing else. */
  findWithPassword(email: string): Promise<UserEntity | null> {
    return this.users.findOne({
      where: { email },
      select: { id: true, email: true, name: true, status: true, createdAt: true, updatedAt: true, passwordHash: true },
    });
  }

  /** Whether an address is in use, by an account of any status. */
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
}

/** 409: the address belongs to an account already. */
export const emailTaken = (): Problem =>
  new Problem('email_taken', { detail: 'An account with this e-mail address exists. Sign in instead.' });
