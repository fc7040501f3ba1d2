import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { StreamableFile } from '@nestjs/common';
import { Answer, JsonText } from '../../common/index.js';

/** An answer as it can be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent where the answer has no body. */
  readonly body?: string;
}

/** Larger answers are given, but not kept. */
const MAX_BYTES = 1024 * 1024;

/** What a handler returned, as it goes out; undefined for what cannot be kept: streams, bytes, plain text, and what is too large. */
export function keepable(value: unknown, routeStatus: number): KeptAnswer | undefined {
  const answer = value instanceof Answer ? value : new Answer<unknown>(value);
  const { status = routeStatus, headers = {} } = answer.options;
  if (answer.body === undefined || answer.body === null) return { status, headers };
  const body = answer instanceof JsonText ? answer.text : jsonOf(answer.body);
  return body === undefined || Buffer.byteLength(body) > MAX_BYTES ? undefined : { status, headers, body };
}

function jsonOf(body: unknown): string | undefined {
  const streams = body instanceof StreamableFile || body instanceof Uint8Array;
  return typeof body !== 'object' || streams || (body !== null && 'pipe' in body) ? undefined : JSON.stringify(body);
}

/** The answer once more, marked as such. */
export function givenAgain({ status, headers, body }: KeptAnswer): Answer {
  const options = { status, headers: { ...headers, 'idempotency-replayed': 'true' } };
  return body === undefined ? new Answer(undefined, options) : new JsonText(body, options);
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Answers hold tokens and links that are shown once: what is kept of them is encrypted (AES-256-GCM) and bound to the name that it is
 * kept under, so that it opens nowhere else.
 */
export class AnswerSeal {
  private readonly key: Buffer;

  constructor(masterKey: Buffer) {
    this.key = Buffer.from(hkdfSync('sha256', masterKey, '', 'live-tables idempotency answer v1', 32));
  }

  seal(name: Buffer, answer: KeptAnswer): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv).setAAD(name);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  }

  /** Throws when it was sealed under another name or another key. */
  open(name: Buffer, bytes: Buffer): KeptAnswer {
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(name).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as KeptAnswer;
  }
}
