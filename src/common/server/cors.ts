import type { FastifyCorsOptions } from '@fastify/cors';

/** Headers that scripts of other origins may read. */
const EXPOSED = [
  'ETag',
  'Location',
  'X-Request-Id',
  'Live-Seq',
  'Idempotency-Replayed',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Server-Timing',
];

/** Which browsers' pages may call. `*` is everybody and therefore never goes with credentials (Fetch standard, section 3.2). */
export function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  const anybody = origins.includes('*');
  const allowed = new Set(origins);
  return {
    // Who sends no Origin is no browser page and needs none of these headers, which would double the size of a small answer.
    origin: (origin, answer) => {
      if (origin === undefined) answer(null, false);
      else if (anybody) answer(null, '*');
      else answer(null, allowed.has(origin) && origin);
    },
    credentials: !anybody,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: 600,
    // An OPTIONS that is no preflight is answered too, instead of with a plain-text 400.
    strictPreflight: false,
  };
}
