import { isError } from './errors/index.js';

const SECRET = /pass(word|wd)?|secret|token|authorization|cookie|api[-_]?key|credential/i;

export const REDACTED = '[redacted]';

/**
 * Our tokens have 43 characters of this alphabet; ids (36) and names of routes are shorter. Looked for at the beginnings of words
 * only: this is asked for every line of the log.
 */
const TOKEN = /(?<![\w-])[\w-]{40,}/g;

/** A path or URL without what may be a token, wherever in it: also where no route knows that there is one. */
export const withoutTokens = (url: string): string => url.replace(TOKEN, REDACTED);

/** A URL fit for a log: without tokens, and without the values of query parameters that smell of secrets. */
export const safeUrl = (url: string): string => withoutTokens(withoutSecrets(url));

function withoutSecrets(url: string): string {
  const start = url.indexOf('?');
  if (start < 0) return url;
  const query = url
    .slice(start + 1)
    .split('&')
    .map((pair) => {
      const name = pair.split('=', 1)[0] ?? '';
      return SECRET.test(name) ? `${name}=${REDACTED}` : pair;
    });
  return `${url.slice(0, start)}?${query.join('&')}`;
}

/**
 * A copy of what is logged or kept, without the values under keys that smell of secrets, at any depth. What lies deeper than
 * `levels` is left out altogether.
 */
export function redact(value: unknown, levels = 6): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (isError(value)) return value;
  if (levels < 0) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, levels - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) && item !== undefined && item !== null ? REDACTED : redact(item, levels - 1),
    ]),
  );
}
