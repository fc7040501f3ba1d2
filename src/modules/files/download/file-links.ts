import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { API_PREFIX, keysFor, type Id, type Keyring } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';

/** Which file may be had until when. */
export interface FileLink {
  readonly schema: string;
  readonly fileId: Id;
  readonly expiresAt: Date;
}

const MAC_BYTES = 32;

/**
 * Addresses to download a file for a while. Their last part is a token: schema, id and end of the right, signed (HMAC-SHA-256) under a
 * key derived from the server's encryption key, so that every node knows the addresses of every other and nobody can make one.
 */
@Injectable()
export class FileLinks {
  private readonly keys: Keyring;
  private readonly lifeMs: number;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.keys = keysFor('file link v1', encryptionKeysOf(config));
    this.lifeMs = config.files.urlSeconds * 1_000;
  }

  make(schema: string, fileId: Id): { readonly url: string; readonly expiresAt: Date } {
    const expiresAt = new Date(Date.now() + this.lifeMs);
    const text = Buffer.from(`${schema} ${fileId} ${expiresAt.getTime()}`);
    const token = Buffer.concat([mac(this.keys[0], text), text]).toString('base64url');
    return { url: `/${API_PREFIX}/files/${token}`, expiresAt };
  }

  /** Undefined when it is not one of ours, or its time is over. */
  open(token: string): FileLink | undefined {
    const bytes = Buffer.from(token, 'base64url');
    const text = bytes.subarray(MAC_BYTES);
    // Decoding forgives much; only the very token that we made is one.
    if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== token) return undefined;
    if (!this.keys.some((key) => timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(key, text)))) return undefined;
    const [schema = '', fileId = '', end] = text.toString().split(' ');
    const expiresAt = new Date(Number(end));
    return expiresAt.getTime() > Date.now() ? { schema, fileId, expiresAt } : undefined;
  }
}

const mac = (key: Buffer, text: Buffer): Buffer => createHmac('sha256', key).update(text).digest();
