import type { FastifyInstance } from 'fastify';
import { traitsOf } from '../decorators/route-traits.js';
import { Problem } from '../errors/index.js';
import type { AppRequest } from '../http.js';
import { parseJson } from './json-body.js';

/**
 * JSON is the one media type, but for routes that take `multipart/form-data` and nothing else: they read it themselves. What cannot
 * be read is kept on the request and thrown by the content guard, after the guards that decide who may call at all.
 * Only a body past the size limit is refused at once (413), because waiting would mean to take it in.
 */
export function registerContentParsers(instance: FastifyInstance, bodyLimit: number): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(
    /^application\/(json|[\w.-]+\+json)(;|$)/i,
    { parseAs: 'buffer', bodyLimit },
    (request: AppRequest, bytes: Buffer, done) => {
      if (takesMultipart(request)) {
        request.bodyProblem = unsupported(request);
        done(null, undefined);
        return;
      }
      const encoding = request.headers['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        request.bodyProblem = unsupported(
          request,
          `Content-Encoding "${encoding.slice(0, 32)}" is not supported; send the JSON as it is.`,
        );
        done(null, undefined);
        return;
      }
      done(null, tryParse(request, bytes));
    },
  );
  instance.addContentTypeParser('*', (request: AppRequest, _payload, done) => {
    if (!takesMultipart(request) || !MULTIPART.test(request.headers['content-type'] ?? ''))
      request.bodyProblem = unsupported(request);
    done(null, undefined);
  });
}

const MULTIPART = /^multipart\/form-data(;|$)/i;
const takesMultipart = (request: AppRequest): boolean => traitsOf(request.routeOptions).multipart === true;

function tryParse(request: AppRequest, bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    request.bodyProblem = problem;
    return undefined;
  }
}

function unsupported(request: AppRequest, detail?: string): Problem {
  const accept = takesMultipart(request) ? 'multipart/form-data' : 'application/json';
  // The rest of such a body was not read, so the connection cannot be used again.
  const headers = { connection: 'close', accept };
  return new Problem('unsupported_media_type', { detail: detail ?? `Send the body as ${accept}.`, headers });
}
