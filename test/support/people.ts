import type { Answer } from '../harness/index.js';

/** Numbers of answers by status, such as `{ 204: 1, 401: 9 }`. */
export function byStatus(answers: readonly Pick<Answer<unknown>, 'status'>[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The part of a link that is the secret: 256 bits in base64url. */
export function tokenIn(text: string): string {
  const token = /[\w-]{43}(?![\w-])/.exec(text)?.[0];
  if (token === undefined) throw new Error(`no token in: ${text}`);
  return token;
}
