import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '../ids.js';
import { Problem } from '../errors/index.js';

/** Node keeps the answer that is under way here, and looks at it in its own handler of these errors. */
interface AnsweringSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Answers what Node's HTTP parser refuses before there is a request: broken HTTP, headers that are too large or too slow.
 * Such a connection is closed, for nobody knows where the next request would begin.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: AnsweringSocket): void {
  // In the middle of an answer there is nothing left to say: our bytes would be taken for a part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  socket.end(rawAnswer(clientProblem(error.code)), () => socket.destroy());
}

export function clientProblem(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers_too_large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request_timeout');
  return new Problem('bad_request', { detail: 'This is not HTTP that can be read.' });
}

function rawAnswer(problem: Problem): string {
  const id = newId();
  const body = JSON.stringify(problem.body({ requestId: id }));
  return [
    `HTTP/1.1 ${problem.status} ${problem.body().title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Server-Timing: app;dur=0',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Answers an `Expect` header of which Node knows nothing; such a request never gets to the router. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const problem = new Problem('expectation_failed');
  const requestId = newId();
  const body = JSON.stringify(problem.body({ requestId }));
  const headers = {
    'Content-Length': Buffer.byteLength(body),
    'Content-Type': 'application/problem+json; charset=utf-8',
    'X-Request-Id': requestId,
    'Server-Timing': 'app;dur=0',
    Connection: 'close',
  };
  response.writeHead(problem.status, headers).end(body);
}
