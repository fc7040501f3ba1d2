import { randomBytes } from 'node:crypto';

export const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
export const MIN_SLUG = 3;
export const MAX_SLUG = 64;

/** Names that could be taken for something else below the same path, now or later. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['admin', 'api', 'assets', 'auth', 'data', 'docs', 'favicon', 'files', 'graphql', 'health', 'index', 'keys'],
  ...['login', 'metrics', 'new', 'null', 'openapi', 'page', 'private', 'public', 'robots', 'search', 'settings'],
  ...['socket', 'static', 'status', 'stream', 'swagger', 'undefined', 'usage', 'view', 'views', 'well-known'],
]);

export const isReserved = (slug: string): boolean => RESERVED.has(slug);

/** One that nobody guesses: 128 random bits. */
export const randomSlug = (): string => randomBytes(16).toString('hex');

/** What operators may see of it: of one that nobody shall guess only the beginning, which 104 bits are missing to. */
export const slugLabel = (slug: string): string => (/^[0-9a-f]{32}$/.test(slug) ? `${slug.slice(0, 6)}...` : slug);
