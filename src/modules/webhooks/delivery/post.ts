import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Problem } from '../../../common/index.js';
import type { Outbound } from '../../../engines/index.js';
import type { WebhookTarget } from '../settings/webhook-url.js';
import type { UNREADABLE } from '../settings/webhook.entity.js';

/** From the look-up of the name to the status of the answer. */
export const TIMEOUT_MS = 10_000;
/** Of the answer, what is kept; nothing more of it is read. */
const EXCERPT_BYTES = 1_000;
/** An answer whose status is there may take so long to say why. */
const EXCERPT_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** What came of one attempt. */
export interface Outcome {
  /** Status 2xx; nothing else counts, redirects neither. */
  readonly ok: boolean;
  readonly status: number | null;
  /** Why there is no status. */
  readonly error: 'host_not_allowed' | 'unreachable' | 'timeout' | typeof UNREADABLE | null;
  /** The beginning of the answer, as text. */
  readonly excerpt: string;
  readonly ms: number;
  /** What the receiver asks for by `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** Nobody waits for the answer any more: the server stops. */
export class Interrupted extends Error {}

/**
 * Sends one message, over a connection of its own: its address is judged when it is connected to. No redirect is followed.
 * @throws Interrupted when `stop` ended it; everything else is an outcome
 */
export async function post(
  target: WebhookTarget,
  headers: Readonly<Record<string, string>>,
  body: string,
  outbound: Pick<Outbound, 'socket'>,
  stop: AbortSignal,
): Promise<Outcome> {
  const begin = performance.now();
  const ms = (): number => Math.round(performance.now() - begin);
  const patience = new Patience(TIMEOUT_MS, stop);
  try {
    const answer = await sent(target, headers, body, outbound, patience.signal);
    const status = answer.statusCode ?? 0;
    const wait = secondsIn(answer.headers['retry-after']);
    const excerpt = await beginningOf(answer);
    return {
      ...{ ok: status >= 200 && status < 300, status, error: null, excerpt, ms: ms() },
      ...(wait > 0 ? { retryAfterSeconds: wait } : {}),
    };
  } catch (error) {
    if (stop.aborted) throw new Interrupted();
    const refused = error instanceof Problem && error.code === 'host_not_allowed';
    const kind = refused ? 'host_not_allowed' : patience.isOver ? 'timeout' : 'unreachable';
    return { ok: false, status: null, error: kind, excerpt: '', ms: ms() };
  } finally {
    patience.end();
  }
}

/**
 * Ends what waits after some time, or with the server. Not `AbortSignal.any`: that leaves something behind for each attempt at a signal that
 * lives as long as the process (https://github.com/nodejs/node/issues/54614), and a timer for as long as one might have waited.
 */
class Patience {
  isOver = false;
  private readonly control = new AbortController();
  private readonly abort = (): void => this.control.abort();
  private readonly timer: NodeJS.Timeout;

  constructor(
    ms: number,
    private readonly stop: AbortSignal,
  ) {
    this.timer = setTimeout(() => {
      this.isOver = true;
      this.abort();
    }, ms);
    if (stop.aborted) this.abort();
    else stop.addEventListener('abort', this.abort);
  }

  get signal(): AbortSignal {
    return this.control.signal;
  }

  end(): void {
    clearTimeout(this.timer);
    this.stop.removeEventListener('abort', this.abort);
  }
}

function sent(
  target: WebhookTarget,
  headers: Readonly<Record<string, string>>,
  body: string,
  outbound: Pick<Outbound, 'socket'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { isSecure, host, port, authority, path } = target;
  const options: RequestOptions = {
    method: 'POST',
    path,
    headers: { ...headers, host: authority, 'content-length': Buffer.byteLength(body), connection: 'close' },
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
    createConnection: () => {
      const socket = outbound.socket();
      socket.connect({ host, port });
      return isSecure ? secured(socket, host) : socket;
    },
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? secureRequest : plainRequest)(options, resolve);
    // A second failure, behind the first or behind the answer, is nobody's matter.
    request.on('error', reject);
    request.end(body);
  });
}

/** A name is what its certificate has to be of. */
function secured(socket: Socket, host: string): Socket {
  const tls = connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
  // The socket below fails first where the address is not allowed: its reason is the one to be told.
  socket.once('error', (error) => tls.destroy(error));
  return tls;
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3); 0 where it is neither. */
function secondsIn(retryAfter = ''): number {
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? seconds : 0;
}

/** What the answer says first, as printable text. Whatever goes wrong behind its status changes nothing. */
function beginningOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      clearTimeout(timer);
      answer.destroy();
      const text = Buffer.concat(chunks).subarray(0, EXCERPT_BYTES).toString('utf8');
      resolve(text.replaceAll(/[^\P{C}\n\t]/gu, ' '));
    };
    const timer = setTimeout(done, EXCERPT_MS);
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= EXCERPT_BYTES) done();
    });
    answer.once('end', done).once('close', done).on('error', done);
  });
}
