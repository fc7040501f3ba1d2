import { Inject, Injectable } from '@nestjs/common';
import { LessThan, MoreThan, type FindOperator } from 'typeorm';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import type { InTrashDto } from './trash.dto.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Whoever restores decides in one moment and is done in another; what is purged has been out of reach for longer than that
 * can take.
 */
const GRACE_MS = 60 * 60 * 1000;

/** How long what was deleted stays in the trash (`TRASH_RETENTION`). */
@Injectable()
export class Retention {
  private readonly ms: number;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.ms = config.trashSeconds * 1000;
  }

  /** `deletedAt` of what can be restored. */
  restorable(): FindOperator<Date> {
    return MoreThan(this.restorableAfter());
  }

  /** `deletedAt` of what is to be purged: nobody can restore it, or is still about to. */
  due(): FindOperator<Date> {
    return LessThan(this.purgedBefore());
  }

  /** What was deleted before it can be restored no more. */
  restorableAfter(): Date {
    return new Date(Date.now() - this.ms);
  }

  purgedBefore(): Date {
    return new Date(Date.now() - this.ms - GRACE_MS);
  }

  isRestorable(deletedAt: Date | null): boolean {
    return deletedAt !== null && deletedAt > this.restorableAfter();
  }

  /** Whether it may be in the middle of its purge. */
  isDue(deletedAt: Date | null): boolean {
    return deletedAt !== null && deletedAt < this.purgedBefore();
  }

  /** What a list of the trash adds; nothing for what is not in it. */
  inTrash(deletedAt: Date | null): InTrashDto {
    if (!deletedAt) return {};
    const left = Math.ceil((deletedAt.getTime() + this.ms - Date.now()) / DAY_MS);
    return { deletedAt: deletedAt.toISOString(), daysLeft: Math.max(0, left) };
  }
}
