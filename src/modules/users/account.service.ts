import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { notFound, type Caller, type Id } from '../../common/index.js';
import { AuditedTransaction, ownActorOf, type AuditEntry, type OutboxEvent } from '../../database/main/index.js';
import { AccountDeletion } from './account-deletion.js';
import type { UpdateAccountDto } from './dto/account.dto.js';
import { PasswordHasher, wrongPassword } from './passwords/index.js';
import { toUserDto, type UserDto } from './user.dto.js';
import { UserEntity } from './user.entity.js';
import { UsersService } from './users.service.js';

/** What stands where the name of a deleted person stood. */
const GONE = 'Deleted account';

/** A person's own account. */
@Injectable()
export class AccountService {
  constructor(
    @InjectRepository(UserEntity) private readonly accounts: Repository<UserEntity>,
    private readonly users: UsersService,
    private readonly passwords: PasswordHasher,
    private readonly deletion: AccountDeletion,
    private readonly transaction: AuditedTransaction,
  ) {}

  async get({ principal }: Caller): Promise<UserDto> {
    return toUserDto(await this.find(principal.userId));
  }

  /** Changes what is given. */
  async update(caller: Caller, { name }: UpdateAccountDto): Promise<UserDto> {
    const before = await this.find(caller.principal.userId);
    if (name === undefined || name === before.name) return toUserDto(before);
    return this.transaction.run(ownActorOf(caller), async (manager) => {
      const user = await this.users.lockAlone(manager, before.id);
      if (!user) throw notFound('account');
      await manager.update(UserEntity, { id: user.id }, { name, updatedAt: new Date() });
      return {
        result: toUserDto({ ...user, name }),
        audit: [audit('user.updated', user, { before: { name: user.name }, after: { name } })],
        events: [changed(user.id)],
      };
    });
  }

  /**
   * Deletes the account: sessions and memberships end, name, address and password are erased, the address is free again.
   * What the person did stays, under an id that leads to nobody. Throws `invalid_credentials` for a wrong password and
   * `last_owner` while some workspace would be left without an owner.
   */
  async remove(caller: Caller, password: string): Promise<void> {
    const { userId } = caller.principal;
    if (!(await this.passwords.owner(() => this.users.findWithPassword({ id: userId }), password)))
      throw wrongPassword();
    await this.transaction.run(ownActorOf(caller), async (manager) => {
      const user = await this.users.lockAlone(manager, userId);
      if (!user) throw notFound('account');
      const { audit: entries, events } = await this.deletion.release(manager, user);
      await manager.update(
        UserEntity,
        { id: user.id },
        { status: 'deleted', email: '', name: GONE, passwordHash: '', updatedAt: new Date() },
      );
      return {
        result: undefined,
        audit: [audit('user.deleted', user, {}), ...entries],
        events: [...events, changed(user.id)],
      };
    });
  }

  private async find(id: Id): Promise<UserEntity> {
    const user = await this.accounts.findOneBy({ id, status: 'active' });
    if (!user) throw notFound('account'); // deleted since the guard looked
    return user;
  }
}

const audit = (action: string, { id, name }: UserEntity, change: Pick<AuditEntry, 'before' | 'after'>): AuditEntry => ({
  workspaceId: null,
  action,
  resource: { type: 'user', id, name },
  ...change,
});

const changed = (userId: Id): OutboxEvent => ({ topic: 'user.changed', payload: { userId } });
