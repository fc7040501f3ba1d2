import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { WorkQueue } from './work-queue.js';

/** OWASP Password Storage Cheat Sheet, first choice: Argon2id (the library's default variant), 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/**
 * The library works on libuv's pool of four threads. One of them is left to DNS and compression, and one core to the event
 * loop: a rush of sign-ins makes sign-ins wait and nobody else.
 */
const LIMITS = {
  atOnce: Math.max(1, Math.min(3, availableParallelism() - 1)),
  maxWaiting: 500,
  patienceMs: 10_000,
} as const;

/** Passwords are hashed in NFC: the same letters typed on another keyboard are the same password. */
const bytes = (password: string): Buffer => Buffer.from(password.normalize('NFC'));

/**
 * Hashes and checks passwords, off the main thread and few at a time. Every method throws `overloaded` when too many wait
 * already or this one waited too long.
 */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  private readonly queue = new WorkQueue(LIMITS);
  private decoy = '';

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(24).toString('base64'));
  }

  /** The PHC string of a password. */
  hash(password: string): Promise<string> {
    return this.queue.run(() => hash(bytes(password), COST));
  }

  /**
   * Whom `find` finds when the password is theirs, else undefined. For nobody the same work is done on a decoy: neither the
   * time of the answer nor a refusal tells whether somebody was found. The search is part of the turn, so that a rush of
   * sign-ins does not become a rush on the database.
   */
  owner<T extends { readonly passwordHash?: string }>(
    find: () => Promise<T | null>,
    password: string,
  ): Promise<T | undefined> {
    return this.queue.run(async () => {
      const found = await find();
      const fits = await verify(found?.passwordHash ?? this.decoy, bytes(password));
      return found?.passwordHash !== undefined && fits ? found : undefined;
    });
  }
}
