import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The server's encryption keys: the first one seals, each of them opens. */
export type Keyring = readonly [present: Buffer, ...others: Buffer[]];

/** Keys of their own for a purpose, in the same order (HKDF, RFC 5869). */
export const keysFor = (purpose: string, [present, ...others]: Keyring): Keyring => {
  const derive = (key: Buffer): Buffer => Buffer.from(hkdfSync('sha256', key, '', `live-tables ${purpose}`, 32));
  return [derive(present), ...others.map(derive)];
};

/** Encrypts what is kept in a database and must not be readable there. */
export interface Sealer {
  /** `owner` names the row that the secret belongs to; it opens there only. */
  seal(owner: string, text: string): Buffer;
  /** The text, or undefined when it was not sealed under one of the keys for this owner. */
  open(owner: string, sealed: Buffer): string | undefined;
}

/**
 * AES-256-GCM (NIST SP 800-38D) under a key of its own for each purpose, derived from the server's encryption keys.
 * Random nonces: good for 2^32 seals of one purpose.
 */
export function sealerFor(purpose: string, encryptionKeys: Keyring): Sealer {
  const keys = keysFor(purpose, encryptionKeys);
  return {
    seal: (owner, text) => seal(keys[0], owner, text),
    open: (owner, sealed) => {
      for (const key of keys) {
        const text = open(key, owner, sealed);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

function seal(key: Buffer, owner: string, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function open(key: Buffer, owner: string, sealed: Buffer): string | undefined {
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return decipher.update(body).toString('utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
