import { createHash, randomBytes } from 'node:crypto';

/** A fresh token that is itself the right to something: 256 random bits, base64url. Known to its holder only. */
export const newSecretToken = (): string => randomBytes(32).toString('base64url');

/** What is stored instead of the token. SHA-256: a slow hash is needless for 256 random bits. */
export const hashSecretToken = (token: string): Buffer => createHash('sha256').update(token).digest();
