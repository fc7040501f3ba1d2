import { Injectable } from '@nestjs/common';
import type { AuditedManager, AuditEntry, OutboxEvent } from '../../database/main/index.js';
import type { UserEntity } from './user.entity.js';

/** What a step of a deletion did, for the audit log and for those who listen. */
export interface Released {
  readonly audit: readonly AuditEntry[];
  readonly events: readonly OutboxEvent[];
}

/** Takes away what a module keeps of a person, within the deletion's transaction. Throws the problem that forbids the deletion. */
export type ReleaseStep = (manager: AuditedManager, user: UserEntity) => Promise<Released>;

/** What has to happen in other modules when an account is deleted; each adds its own step, since none is known here. */
@Injectable()
export class AccountDeletion {
  private readonly steps: ReleaseStep[] = [];

  add(step: ReleaseStep): void {
    this.steps.push(step);
  }

  /** Every step, one after the other. */
  async release(manager: AuditedManager, user: UserEntity): Promise<Released> {
    const done: Released[] = [];
    for (const step of this.steps) done.push(await step(manager, user));
    return { audit: done.flatMap(({ audit }) => audit), events: done.flatMap(({ events }) => events) };
  }
}
