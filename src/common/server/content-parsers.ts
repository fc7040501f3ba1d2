import type { FastifyInstance } from 'fastify';
import { Problem } from '../errors/index.js';
import type { AppRequest } from '../http.js';
import { parseJson } from './json-body.js';

/**
 * JSON is the one media type; a route that takes another registers its own parser. What cannot be read is kept on the
 * request and thrown by the content guard, after the guards that decide who may call at all.
 * Only a body past the size limit is refused at once (413), because waiting would mean to take it in.
 */
export function registerContentParsers(instance: FastifyInstance, bodyLimit: number): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(
    /^application\/(json|[\w.-]+\+json)(;|$)/i,
    { parseAs: 'buffer', bodyLimit },
    (request: AppRequest, bytes: Buffer, done) => {
      const encoding = request.headers['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        request.bodyProblem = unsupported(
          `Content-Encoding "${encoding.slice(0, 32)}" is not supported; send the JSON as it is.`,
        );
        done(null, undefined);
        return;
      }
      done(null, tryParse(request, bytes));
    },
  );
  instance.addContentTypeParser('*', (request: AppRequest, _payload, done) => {
    request.bodyProblem = unsupported('Send the body as application/json.');
    done(null, undefined);
  });
}

function tryParse(request: AppRequest, bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    request.bodyProblem = problem;
    return undefined;
  }
}

// The rest of such a body was not read, so the connection cannot be used again.
const unsupported = (detail: string): Problem =>
  new Problem('unsupported_media_type', { detail, headers: { connection: 'close', accept: 'application/json' } });
