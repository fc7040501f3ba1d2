import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';

/** OWASP Password Storage Cheat Sheet, first choice: Argon2id (the library's default variant), 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Passwords are hashed in NFC: the same letters typed on another keyboard are the same password. */
const bytes = (password: string): Buffer => Buffer.from(password.normalize('NFC'));

/** Hashes and checks passwords, off the main thread. */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  private decoy = '';

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(24).toString('base64'));
  }

  /** The PHC string of a password. */
  hash(password: string): Promise<string> {
    return hash(bytes(password), COST);
  }

  /**
   * Whether the password fits. Without a hash (nobody has that address) the same work is done on a decoy, so that the
   * time of the answer does not tell whether an account exists.
   */
  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const fits = await verify(passwordHash ?? this.decoy, bytes(password));
    return fits && passwordHash !== undefined;
  }
}
