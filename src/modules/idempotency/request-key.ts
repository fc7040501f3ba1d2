import { createHmac, hkdfSync } from 'node:crypto';
import { invalid, type AppRequest } from '../../common/index.js';
import type { RequestKey } from '../../database/main/index.js';

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

export const isKey = (key: unknown): key is string => typeof key === 'string' && PRINTABLE.test(key);

/** Throws `validation_failed` for a key that is none. */
export function checkKey(key: unknown): string {
  if (isKey(key)) return key;
  const detail = 'Idempotency-Key must be 1 to 255 printable ASCII characters.';
  throw invalid([{ pointer: '/Idempotency-Key', code: 'idempotency_key_invalid', detail }]);
}

/**
 * Makes {@link RequestKey}s. Their digests are keyed, so that whoever reads the table cannot try out passwords and tokens on
 * them.
 */
export class RequestKeys {
  private readonly secret: Buffer;

  constructor(masterKey: Buffer) {
    this.secret = Buffer.from(hkdfSync('sha256', masterKey, '', 'live-tables idempotency key v1', 32));
  }

  /**
   * The caller is the person, on public routes the address; the route is the method and the path as it was called. `asked` is what was
   * asked for there, as JSON.
   */
  of(request: AppRequest, key: string, asked: unknown = request.body ?? null): RequestKey {
    const caller = request.principal ? ['person', request.principal.userId] : ['address', request.ip];
    const path = request.url.split('?', 1);
    return {
      name: this.digest([caller, request.method, path, key]),
      request: this.digest([request.query, asked]),
    };
  }

  private digest(value: unknown): Buffer {
    return createHmac('sha256', this.secret).update(canonicalJson(value)).digest();
  }
}

/** JSON that is the same for values which differ in the order of their members only. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
