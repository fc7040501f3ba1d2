import { createHash, randomBytes } from 'node:crypto';

/** A fresh refresh token: 256 random bits, base64url. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url');

/** What is stored instead of the token. */
export const hashRefreshToken = (token: string): Buffer => createHash('sha256').update(token).digest();
