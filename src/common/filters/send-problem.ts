import type { Problem } from '../errors/index.js';
import type { AppReply } from '../http.js';
import { withoutTokens } from '../redact.js';

/** Sends the RFC 9457 document. The instance is the path without its query and without tokens: people paste it into reports. */
export function sendProblem(reply: AppReply, problem: Problem): void {
  const { url, id } = reply.request;
  const query = url.indexOf('?');
  const body = problem.body({ instance: withoutTokens(query < 0 ? url : url.slice(0, query)), requestId: id });
  if (problem.headers) void reply.headers(problem.headers);
  void reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(body));
}
