import type { FastifyInstance } from 'fastify';
import { traitsOf } from '../decorators/route-traits.js';
import { Problem } from '../errors/index.js';
import type { AppRequest } from '../http.js';
import { parseJson } from './json-body.js';

/**
 * JSON is the one media type, but for routes that read their body themselves while it arrives: those take `multipart/form-data`, or texts
 * of the media types that they name, and nothing else. What cannot be read is kept on the request and thrown by the content guard, after
 * the guards that decide who may call at all. Only a body past the size limit is refused at once (413), because waiting would mean to take
 * it in.
 */
export function registerContentParsers(instance: FastifyInstance, bodyLimit: number): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(
    /^application\/(json|[\w.-]+\+json)(;|$)/i,
    { parseAs: 'buffer', bodyLimit },
    (request: AppRequest, bytes: Buffer, done) => {
      if (!takes(request).includes(JSON_TYPE)) request.bodyProblem = unsupported(request);
      else request.bodyProblem = encoded(request, 'the JSON');
      done(null, request.bodyProblem ? undefined : tryParse(request, bytes));
    },
  );
  instance.addContentTypeParser('*', (request: AppRequest, _payload, done) => {
    const type = mediaType(request);
    if (type === JSON_TYPE || !takes(request).includes(type)) request.bodyProblem = unsupported(request);
    else if (type !== MULTIPART) request.bodyProblem = encoded(request, 'the text');
    done(null, undefined);
  });
}

const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data';

/** The media types of bodies that the route takes. */
function takes({ routeOptions }: AppRequest): readonly string[] {
  const { multipart, streamed } = traitsOf(routeOptions);
  return streamed ?? [multipart ? MULTIPART : JSON_TYPE];
}

/** Without parameters, in lower case. */
const mediaType = ({ headers }: AppRequest): string =>
  (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

function encoded(request: AppRequest, what: string): Problem | undefined {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return undefined;
  return unsupported(request, `Content-Encoding "${encoding.slice(0, 32)}" is not supported; send ${what} as it is.`);
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

function unsupported(request: AppRequest, detail?: string): Problem {
  const accept = takes(request).join(', ');
  // The rest of such a body was not read, so the connection cannot be used again.
  const headers = { connection: 'close', accept };
  return new Problem('unsupported_media_type', { detail: detail ?? `Send the body as ${accept}.`, headers });
}
