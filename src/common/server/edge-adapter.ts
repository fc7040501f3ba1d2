import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions } from 'fastify';
import { Answer, JsonText } from '../answer.js';
import type { AppReply, AppRequest, AskedRequest, GivenReply } from '../http.js';
import { drain } from './drain.js';
import { refuseTooLarge } from './response-limit.js';

type Listener = (request: AskedRequest, reply: GivenReply) => void;

/** Answers a request in place of the framework, now or later, or hands it on then; false: it is none of its own. */
export type FirstListener = (request: IncomingMessage, response: ServerResponse, framework: RequestListener) => boolean;

type Sent = ReturnType<FastifyAdapter['reply']>;

/** The Fastify adapter that knows {@link Answer} and {@link JsonText}; here and not in an interceptor, which would cost every request. */
export class EdgeAdapter extends FastifyAdapter {
  private readonly listeners: Listener[] = [];
  private first: FirstListener | undefined;
  private isStopping = false;

  /** @param responseLimit largest {@link JsonText}, bytes */
  constructor(
    options: FastifyHttpOptions<Server>,
    private readonly responseLimit: number,
  ) {
    super(options);
    const { server } = this.getInstance();
    const [framework] = server.listeners('request') as [RequestListener];
    server.removeListener('request', framework);
    server.on('request', (request, response) => {
      // A server that stops says so in its answers.
      if (this.first === undefined || this.isStopping || !this.first(request, response, framework))
        framework(request, response);
    });
  }

  /** Lets somebody look at requests before the framework does; one only. */
  answerFirst(first: FirstListener): void {
    this.first = first;
  }

  /** Whom to tell of each request that was answered to its end. */
  whenAnswered(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Tells them. */
  answered(request: AskedRequest, reply: GivenReply): void {
    for (const listener of this.listeners) listener(request, reply);
  }

  /** The first thing of a stop, before Socket.IO waits for the server's last connection to end. */
  override beforeClose(): void {
    super.beforeClose();
    this.isStopping = true;
    drain(this.getHttpServer<Server>());
  }

  override reply(response: Parameters<FastifyAdapter['reply']>[0], body: unknown, statusCode?: number): Sent {
    if (!(body instanceof Answer)) return super.reply(response, body, statusCode);
    if (body instanceof JsonText && !body.options.committed) refuseTooLarge(body.size, this.responseLimit);
    const reply = response as AppReply;
    const { status, headers, databaseMs, queryFacts } = body.options;
    if (status !== undefined) reply.code(status);
    else if (statusCode !== undefined) reply.code(statusCode);
    if (headers) reply.headers(headers);
    if (databaseMs !== undefined) (reply.request as AppRequest).databaseMs = databaseMs;
    if (queryFacts) (reply.request as AppRequest).queryFacts = queryFacts;
    if (!(body instanceof JsonText)) return super.reply(response, body.body);
    // When the last byte has left the process; where that never is, the memory is nobody's.
    if (body.isLent) reply.raw.once('finish', () => body.giveBack());
    return reply.header('content-type', 'application/json; charset=utf-8').send(body.toBytes());
  }
}
