import type { FastifyInstance, FastifyReply } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';

export interface SecurityOptions {
  /** Below this path are pages for browsers; everything else is an API. */
  readonly pagesBelow: string;
  /** Whether browsers are told to come by HTTPS only. */
  readonly https: boolean;
}

/**
 * Security headers. Pages get helmet's, with a policy that Swagger UI runs under. Answers of the API are never a page, so
 * they get the few that matter for them (OWASP REST Security Cheat Sheet), as constants. Not the Fastify plugin of helmet,
 * because its hooks would run for every request.
 */
export function registerSecurity(instance: FastifyInstance, { pagesBelow, https }: SecurityOptions): void {
  const setPageHeaders = helmet(pagePolicy(https));
  const setApiHeaders = apiHeaders(https);
  instance.addHook('onRequest', (request, reply, done) => {
    if ((request.routeOptions.url ?? request.url).startsWith(pagesBelow)) {
      setPageHeaders(request.raw, reply.raw, (error?: unknown) => done(error as Error | undefined));
      return;
    }
    setApiHeaders(reply);
    done();
  });
}

/** Those of the API, also for answers that no hook sees. */
export function apiHeaders(https: boolean): (reply: FastifyReply) => void {
  const headers = Object.entries(headersOf(https));
  return (reply) => {
    for (const [name, value] of headers) void reply.header(name, value);
  };
}

const headersOf = (https: boolean): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  ...(https ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
});

const pagePolicy = (https: boolean): HelmetOptions => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      // Swagger UI puts styles into its elements and its icons into data URLs; its scripts are files.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: https,
});
