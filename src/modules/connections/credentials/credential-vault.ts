import type { Id } from '../../../common/index.js';

/** A secret as it is kept, and the key that it is under. */
export interface SealedSecret {
  readonly sealed: Buffer;
  readonly keyId: string;
}

/**
 * The port to whoever keeps the keys of stored passwords and secrets: this server itself, or a key service. What is sealed for one thing (a
 * connection, a webhook) opens for no other.
 */
export abstract class CredentialVault {
  /** The key that seals now. */
  abstract readonly keyId: string;
  abstract seal(holderId: Id, secret: string): Promise<SealedSecret>;
  /** @returns undefined when it was sealed for another holder, under a key that is not there, or is damaged */
  abstract open(holderId: Id, sealed: Buffer): Promise<string | undefined>;
}
