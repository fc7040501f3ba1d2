import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { AppConfig } from '../../../config/index.js';
import { tokenInvalid } from './problems.js';

/** Ours have about 400 characters; nothing much longer is worth a look. */
const MAX_LENGTH = 2_048;

interface Key {
  readonly id: string;
  /** Not the text: the library would try each time whether that is a private key, which takes a millisecond. */
  readonly secret: KeyObject;
}

/**
 * The keys of access tokens: the present one signs, it and the previous ones verify. The one place that decides which key a
 * token is to be verified with; the verification itself, and with it the algorithm, is the library's.
 */
export class SigningKeys {
  readonly current: Key;
  private readonly all: readonly Key[];

  constructor({ jwt }: Pick<AppConfig, 'jwt'>) {
    this.current = keyOf(jwt.secret);
    this.all = [this.current, ...jwt.previousSecrets.map(keyOf)];
  }

  /**
   * The secret that the token has to be signed with: the one that its `kid` names, or, in a token of before there were any, the one
   * that its signature fits. Throws `unauthenticated` for a `kid` that is none of ours and for what is no token at all.
   */
  secretOf(token: string): KeyObject {
    if (token.length > MAX_LENGTH) throw tokenInvalid();
    const header = headerOf(token);
    if (!header) throw tokenInvalid();
    const key = 'kid' in header ? this.all.find(({ id }) => id === header.kid) : this.signerOf(token);
    if (!key) throw tokenInvalid();
    return key.secret;
  }

  private signerOf(token: string): Key | undefined {
    const end = token.lastIndexOf('.');
    const signature = Buffer.from(token.slice(end + 1), 'base64url');
    return this.all.find(({ secret }) => {
      const expected = createHmac('sha256', secret).update(token.slice(0, end)).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
  }
}

const keyOf = (secret: string): Key => ({ id: keyId(secret), secret: createSecretKey(Buffer.from(secret)) });

/** Public, in the header of every token: tells which key, and nothing that would help to find it. */
const keyId = (secret: string): string =>
  createHmac('sha256', secret).update('live-tables access token key id v1').digest('hex').slice(0, 8);

function headerOf(token: string): object | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
    return typeof header === 'object' && header !== null ? header : undefined;
  } catch {
    return undefined;
  }
}
