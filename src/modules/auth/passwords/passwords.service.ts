import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import {
  hashSecretToken,
  newId,
  newSecretToken,
  Problem,
  type Caller,
  type Id,
  type RequestMeta,
} from '../../../common/index.js';
import {
  ownActorOf,
  AuditedTransaction,
  systemActor,
  type Actor,
  type AuditEntry,
  type AuditedManager,
} from '../../../database/main/index.js';
import { Mailer, type Message } from '../../mail/index.js';
import {
  AccountDeletion,
  PasswordHasher,
  refuseCommon,
  UsersService,
  wrongPassword,
  type UserEntity,
} from '../../users/index.js';
import type { ChangePasswordDto, ResetPasswordDto } from '../dto/credentials.dto.js';
import { PersonalTokensService } from '../personal-tokens/personal-tokens.service.js';
import { SessionsService, type RevocationReason } from '../sessions/sessions.service.js';
import { PasswordResetEntity } from './password-reset.entity.js';

const RESET_HOURS = 1;

/** Changing a password that one knows, and replacing one that was forgotten. */
@Injectable()
export class PasswordsService implements OnModuleInit {
  constructor(
    @InjectRepository(PasswordResetEntity) private readonly resets: Repository<PasswordResetEntity>,
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly tokens: PersonalTokensService,
    private readonly mailer: Mailer,
    private readonly deletion: AccountDeletion,
    private readonly transaction: AuditedTransaction,
  ) {}

  onModuleInit(): void {
    this.mailer.register('password-reset', (to, data) => this.writeResetMail(to, data));
    this.mailer.register('password-changed', () => Promise.resolve(CHANGED_MAIL));
    this.deletion.add(async (manager, { id }) => {
      await manager.delete(PasswordResetEntity, { userId: id });
      const tokens = await this.tokens.end(manager, id);
      const sessions = await this.sessions.forget(manager, id);
      return { audit: [...tokens.audit, ...sessions.audit], events: [...tokens.events, ...sessions.events] };
    });
  }

  /** Throws `invalid_credentials` for a wrong current password. Ends every session but the caller's. */
  async change(caller: Caller, { currentPassword, newPassword }: ChangePasswordDto): Promise<void> {
    const { userId, sessionId, email } = caller.principal;
    refuseCommon(newPassword, email, '/newPassword');
    const user = await this.hasher.owner(() => this.users.findWithPassword({ id: userId }), currentPassword);
    if (!user) throw wrongPassword();
    const passwordHash = await this.hasher.hash(newPassword);
    await this.transaction.run(ownActorOf(caller), async (manager) => {
      // Of two changes at once, and of a change beside a reset, one is the first; to the other the password is wrong.
      if (!(await this.users.setPassword(manager, userId, passwordHash, user.passwordHash))) throw wrongPassword();
      return this.changed(manager, user, 'password_changed', sessionId);
    });
  }

  /**
   * Orders a mail to the address, if it belongs to an account: that is found out when the mail is written, so that the
   * answer and its time are the same for every address.
   */
  async forgot(email: string, request: RequestMeta): Promise<void> {
    const nobody: Actor = { ...systemActor('password reset'), name: 'anonymous', request };
    await this.transaction.run(nobody, async (manager) => ({
      result: undefined,
      audit: [
        {
          workspaceId: null,
          action: 'user.password_reset_requested',
          resource: { type: 'user', id: null, name: email },
        },
      ],
      events: [await this.mailer.order(manager, { template: 'password-reset', to: email })],
    }));
  }

  /** Sets a new password and ends every session. Throws `reset_token_invalid`; of several calls with a token one succeeds. */
  async reset({ token, newPassword }: ResetPasswordDto, request: RequestMeta): Promise<void> {
    const tokenHash = hashSecretToken(token);
    const found = await this.resets.findOne({
      where: { tokenHash, expiresAt: MoreThan(new Date()), user: { status: 'active' } },
      relations: { user: true },
    });
    // Before the costly part: who makes up tokens is not given the work of a hash.
    if (!found?.user) throw resetTokenInvalid();
    const { user } = found;
    refuseCommon(newPassword, user.email, '/newPassword');
    const passwordHash = await this.hasher.hash(newPassword);
    const actor: Actor = { id: user.id, name: user.name, via: 'session', request };
    await this.transaction.run(actor, async (manager) => {
      // The person first, as everywhere: a deletion of the account goes on to its links, too. Undone when the link is used up.
      if (!(await this.users.setPassword(manager, user.id, passwordHash))) throw resetTokenInvalid();
      const { affected } = await manager.delete(PasswordResetEntity, { tokenHash });
      if (affected !== 1) throw resetTokenInvalid();
      return this.changed(manager, user, 'password_reset');
    });
  }

  /** All that follows from a new password, within the caller's transaction. `except` is the session that goes on. */
  private async changed(manager: AuditedManager, user: UserEntity, reason: RevocationReason, except?: Id) {
    const { id, email } = user;
    await manager.delete(PasswordResetEntity, { userId: id });
    const ended = await this.sessions.end(manager, { userId: id, except }, reason);
    const tokens = await this.tokens.end(manager, id);
    const mail = await this.mailer.order(manager, { template: 'password-changed', to: email });
    const entry = audit(`user.${reason}`, user);
    return {
      result: undefined,
      audit: [entry, ...ended.audit, ...tokens.audit] as const,
      events: [...ended.events, ...tokens.events, mail],
    };
  }

  /**
   * Makes the token at the moment at which it leaves, so that it is nowhere else. Nothing for an address without an account. Earlier
   * links go on: else anybody who knows the address could keep its owner from ever using one.
   */
  private async writeResetMail(to: string, _data: Readonly<Record<string, string>>): Promise<Message | undefined> {
    const user = await this.users.findActiveByEmail(to);
    if (!user) return undefined;
    const token = newSecretToken();
    const now = Date.now();
    await this.transaction.run(systemActor('password reset'), async (manager) => {
      await manager.insert(PasswordResetEntity, {
        id: newId(),
        userId: user.id,
        tokenHash: hashSecretToken(token),
        createdAt: new Date(now),
        expiresAt: new Date(now + RESET_HOURS * 3_600_000),
      });
      return { result: undefined, audit: [audit('user.password_reset_sent', user)], events: [] };
    });
    return resetMail(user.name, this.mailer.link(`/reset-password?token=${token}`));
  }
}

const audit = (action: string, { id, name }: UserEntity): AuditEntry => ({
  workspaceId: null,
  action,
  resource: { type: 'user', id, name },
});

const resetTokenInvalid = (): Problem => new Problem('reset_token_invalid');

const resetMail = (name: string, link: string): Message => ({
  subject: 'Choose a new password',
  text: `Hello ${name},

somebody, probably you, asked for a new password. Choose it here within the hour; the link works once:

${link}

If it was not you, do nothing: your password stays as it is.
`,
});

const CHANGED_MAIL: Message = {
  subject: 'Your password was changed',
  text: `Hello,

the password of your account was changed, all other devices were signed out, and its personal tokens were revoked.

If it was not you, choose a new password now: "Forgot password" on the page where you sign in.
`,
};
