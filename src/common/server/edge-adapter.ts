import type { Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions } from 'fastify';
import { Answer, JsonText } from '../answer.js';
import type { AppReply, AppRequest } from '../http.js';
import { drain } from './drain.js';
import { refuseTooLarge } from './response-limit.js';

type Sent = ReturnType<FastifyAdapter['reply']>;

/** The Fastify adapter that knows {@link Answer} and {@link JsonText}; here and not in an interceptor, which would cost every request. */
export class EdgeAdapter extends FastifyAdapter {
  /** @param responseLimit largest {@link JsonText}, bytes */
  constructor(
    options: FastifyHttpOptions<Server>,
    private readonly responseLimit: number,
  ) {
    super(options);
  }

  /** The first thing of a stop, before Socket.IO waits for the server's last connection to end. */
  override beforeClose(): void {
    super.beforeClose();
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
    return reply.header('content-type', 'application/json; charset=utf-8').send(body.toBytes());
  }
}
