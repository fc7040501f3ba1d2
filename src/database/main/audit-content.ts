import { redact } from '../../common/index.js';

/** Larger than any description of a change; what an entry holds beyond it would be data, and that has a log of its own. */
const MAX_BYTES = 64 * 1024;
/** As deep as a request's body may be. */
const LEVELS = 64;

/**
 * What the audit log keeps of a `before` or an `after`: no value under a name that smells of a secret, at any depth, and of more
 * than 64 KiB of JSON only its size, as `{"omitted":"too_large","bytes":…}`.
 */
export function auditContent(value: object | undefined): object | null {
  if (value === undefined) return null;
  // Redacted as JSON, so that nothing hides behind a toJSON() or in an error's own members.
  const text = JSON.stringify(redact(JSON.parse(JSON.stringify(value)), LEVELS));
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_BYTES ? { omitted: 'too_large', bytes } : (JSON.parse(text) as object);
}
