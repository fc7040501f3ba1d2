import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

export interface SecurityOptions {
  /** Below this path are pages for browsers; everything else is an API. */
  readonly pagesBelow: string;
  /** Whether browsers are told to come by HTTPS only. */
  readonly https: boolean;
}

/**
 * Security headers. Pages get helmet's, with a policy that Swagger UI runs under. Answers of the API are never a page, so
 * they get the few that matter for them (OWASP REST Security Cheat Sheet), as constants: helmet would build 13 headers per request.
 */
export async function registerSecurity(instance: FastifyInstance, options: SecurityOptions): Promise<void> {
  const pages = pageHeaders(options.https);
  const api = Object.entries(apiHeaders(options.https));
  instance.addHook('onRoute', (route) => {
    if (route.url.startsWith(options.pagesBelow)) route.helmet = pages;
  });
  await instance.register(helmet, { global: false });
  instance.addHook('onRequest', (request, reply, done) => {
    if (!('helmet' in request.routeOptions.config)) for (const [name, value] of api) void reply.header(name, value);
    done();
  });
}

const apiHeaders = (https: boolean): Record<string, string> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  ...(https ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
});

const pageHeaders = (https: boolean): FastifyHelmetOptions => ({
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
