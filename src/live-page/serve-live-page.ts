import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readPageFiles, type PageFile } from './page-files.js';

export const LIVE_PAGE_PATH = '/live';

/**
 * Scripts and styles are files of this server, and nothing else is fetched or shown; `'self'` holds for the socket, too. With trusted types the
 * browser itself refuses to make elements or scripts of text.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** A page that shows a table live and edits it. It holds no data: it calls the API as any client does. Its files are read on the first visit. */
export function serveLivePage(app: NestFastifyApplication): void {
  let files: ReadonlyMap<string, PageFile> | undefined;
  const answer = (name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    files ??= readPageFiles();
    const file = files.get(name);
    if (!file) {
      reply.callNotFound();
      return reply;
    }
    // Asked for again each time, so that a new version is never mixed with an old one.
    const headers = { 'cache-control': 'no-cache', 'content-security-policy': POLICY, etag: file.etag };
    void reply.headers(headers);
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.type(file.type).send(file.body);
  };
  const http = app.getHttpAdapter().getInstance();
  http.get(LIVE_PAGE_PATH, (request, reply) => answer('index.html', request, reply));
  http.get<{ Params: { readonly '*': string } }>(`${LIVE_PAGE_PATH}/*`, (request, reply) =>
    answer(request.params['*'], request, reply),
  );
}
