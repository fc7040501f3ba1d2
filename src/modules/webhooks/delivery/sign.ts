import { createHmac } from 'node:crypto';
import { keyOfSecret } from '../settings/webhook-secrets.js';

/**
 * The headers by which a receiver knows that a message is ours, unchanged, and new (Standard Webhooks 1.0.0): HMAC-SHA256 over
 * `id.timestamp.body` under each of the secrets.
 */
export function signedHeaders(
  id: string,
  at: Date,
  body: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', keyOfSecret(secret)).update(signed).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
