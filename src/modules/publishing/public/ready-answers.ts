import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import {
  isTracing,
  Metrics,
  requestId,
  sendAgain,
  SentHead,
  type AppReply,
  type AppRequest,
  type AskedRequest,
  type EdgeAdapter,
  type HeaderSink,
} from '../../../common/index.js';
import { PUBLIC_PREFIX } from '../public-path.js';
import { Admission } from './admission.js';
import { Heads } from './heads.js';
import type { Admitted, Remembered, Visit } from './publication.js';
import type { Traces } from './public-reader.service.js';
import { tallyOf, type Tally } from './tally.js';

/** What is kept of answers in all, and of one. */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_ENTRIES = 5_000;
const MAX_BODY = 1024 * 1024;
/** Characters of a form; longer ones are rare, and would be compared each time. */
const MAX_FORM = 2_000;
/** Of an entry besides its form and its body. */
const OVERHEAD = 2_048;

/** An answer of the routes, ready to be given again. It may be kept for long: nothing of it leads to a publication that is not read any more. */
interface Ready {
  readonly reader: Remembered;
  readonly traces: Traces;
  readonly routeOptions: AskedRequest['routeOptions'];
  readonly status: number;
  readonly head: SentHead;
  readonly body: Buffer | undefined;
  readonly tally: Tally;
}

/** What is known of a request while the route answers it. */
interface Noted extends Pick<Ready, 'reader' | 'traces'> {
  payload?: unknown;
}

/**
 * Answers of published views as they went out, given again without the framework, to requests that are the same in all that decides what the answer is: the
 * route and its hooks made each of them, headers, compression and all, and make it anew whenever anything is not as it was. Each request is admitted and
 * counted as there, and is answered only when the logs of all tables behind the answer, asked after it came, stand where they stood. What is not as most
 * requests are goes to the route.
 */
@Injectable()
export class ReadyAnswers {
  private readonly noted = new WeakMap<AppRequest, Noted>();
  private readonly ready = new LRUCache<string, Ready>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ body }, form) => (body?.length ?? 0) + form.length + OVERHEAD,
  });
  private readonly adapter: EdgeAdapter;

  /** Answers that were given again, and requests that went to the route. */
  hits = 0;
  misses = 0;

  constructor(
    host: HttpAdapterHost,
    private readonly admission: Admission,
    private readonly heads: Heads,
    metrics: Metrics,
  ) {
    metrics.cache('ready_answers', this);
    this.adapter = host.httpAdapter as EdgeAdapter;
    // A span is more than all the rest: what is traced goes the whole way.
    if (isTracing()) return;
    this.adapter.answerFirst((...call) => this.answer(...call));
    this.listenTo(this.adapter.getInstance<FastifyInstance>());
  }

  get size(): number {
    return this.ready.size;
  }

  /** The answer that the route is about to give may be given again while all is as it is told here. */
  note(request: AppRequest, { publication, key, counter }: Admitted, traces: Traces): void {
    if (request.method !== 'GET') return;
    const { slug, apiVersion, edition } = publication;
    this.noted.set(request, { reader: { slug, apiVersion, edition, counter, keyHash: key?.hash }, traces });
  }

  private listenTo(instance: FastifyInstance): void {
    instance.addHook('onRoute', (route) => {
      if (!route.url.startsWith(`/${PUBLIC_PREFIX}/`) || !route.url.endsWith('/data')) return;
      // Behind the compressor, which is a hook of the route too.
      route.onSend = [route.onSend ?? []].flat();
      route.onSend.push((request, _, payload, done) => {
        const noted = this.noted.get(request);
        if (noted) noted.payload = payload;
        done(null, payload);
      });
      route.onResponse = [route.onResponse ?? []].flat();
      route.onResponse.push((request, reply, done) => {
        this.keep(request, reply);
        done();
      });
    });
  }

  private keep(request: AppRequest, { raw, statusCode: status }: AppReply): void {
    const { reader, traces, payload = null } = this.noted.get(request) ?? {};
    if (!reader || !traces || (status !== 200 && status !== 304)) return;
    const body = payload ?? undefined;
    if ((status === 200) !== Buffer.isBuffer(body) || (Buffer.isBuffer(body) && body.length > MAX_BODY)) return;
    const form = formOf(request.raw);
    const head = SentHead.of(raw);
    if (!head || form.length > MAX_FORM || !isOrdinary(request.raw, raw)) return;
    const { routeOptions } = request;
    const { rows, bytes } = tallyOf(request);
    const tally = { rows, bytes, isCached: true, isStream: false };
    this.ready.set(form, { reader, traces, routeOptions, status, head, body: body as Buffer | undefined, tally });
  }

  private answer(request: IncomingMessage, response: ServerResponse, framework: RequestListener): boolean {
    if (request.method !== 'GET' || !request.url?.startsWith(`/${PUBLIC_PREFIX}/`)) return false;
    const from = performance.now();
    const ready = this.ready.get(formOf(request));
    // Who would be refused costs no question.
    if (!ready || !isOrdinary(request, response) || !this.admission.wouldAdmit(ready.reader)) {
      this.misses++;
      return false;
    }
    const passOn = (): void => {
      this.misses++;
      framework(request, response);
    };
    this.heads.of(ready.traces.tables).then((heads) => {
      if (heads !== ready.traces.heads || !this.give(ready, request, response, from)) passOn();
    }, passOn);
    return true;
  }

  /** False: nothing was done, and nothing counted. */
  private give(ready: Ready, request: IncomingMessage, response: ServerResponse, from: number): boolean {
    const limits = new LimitHeaders();
    const visit = this.admission.admitAgain(ready.reader, limits);
    if (!visit) return false;
    this.hits++;
    const id = requestId(request);
    const given = (): void => this.given(ready, visit, request, response, id, performance.now() - from);
    // Who has gone before was let in like everybody.
    if (response.destroyed) given();
    else response.on('close', given);
    const head = ready.head.with({
      date: dateNow(),
      'x-request-id': id,
      'server-timing': `app;dur=${(performance.now() - from).toFixed(1)}`,
      ratelimit: limits.ratelimit,
      'ratelimit-policy': limits.policy,
    });
    sendAgain(response, ready.status, head, ready.body);
    return true;
  }

  /** What the hooks of the route do when an answer is on its way, or its reader has gone. */
  private given(
    { routeOptions, status: statusCode, tally }: Ready,
    visit: Visit,
    { method = '', url = '' }: IncomingMessage,
    { writableFinished }: ServerResponse,
    id: string,
    elapsedTime: number,
  ): void {
    if (writableFinished) this.adapter.answered({ id, method, url, routeOptions }, { statusCode, elapsedTime });
    this.admission.countCall(visit, statusCode, elapsedTime, tally);
  }
}

/** What limits say of themselves; all else that admission says is in the head already. */
class LimitHeaders implements HeaderSink {
  ratelimit = '';
  policy = '';

  getHeader(name: string): string | undefined {
    return (name === 'ratelimit' ? this.ratelimit : this.policy) || undefined;
  }

  header(name: string, value: string): void {
    if (name === 'ratelimit') this.ratelimit = value;
    else if (name === 'ratelimit-policy') this.policy = value;
  }
}

/** All that decides what the answer of the route is. No value of a header has a line feed, so that no two forms are one text. */
function formOf({ url, headers, socket }: IncomingMessage): string {
  return (
    `${url}\n${socket.remoteAddress}${line(headers['x-forwarded-for'])}${line(headers['x-api-key'])}${line(headers.authorization)}` +
    `${line(headers['if-none-match'])}${line(headers.accept)}${line(headers['accept-encoding'])}${line(headers.origin)}${line(headers['x-no-compression'])}`
  );
}

/** What is not there is not what is empty. */
const line = (value: string | readonly string[] | undefined): string =>
  value === undefined ? '\n' : `\n=${String(value)}`;

/** Without a body, on a connection that goes on. */
const isOrdinary = (
  { headers, httpVersionMajor: major, httpVersionMinor: minor }: IncomingMessage,
  { shouldKeepAlive }: ServerResponse,
): boolean =>
  shouldKeepAlive &&
  major === 1 &&
  minor === 1 &&
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined;

let [second, date] = [0, ''];

/** As `Date` has it: one text for each second. */
function dateNow(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) [second, date] = [now, new Date(now * 1_000).toUTCString()];
  return date;
}
