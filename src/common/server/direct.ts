import { PATH_METADATA } from '@nestjs/common/constants.js';
import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Answer } from '../answer.js';
import type { AppReply, AppRequest } from '../http.js';

/** Answers a request whose route is known. What it throws leaves by the one exit of errors. */
type DirectHandler = (request: AppRequest, reply: AppReply) => Promise<Answer>;

/**
 * Has a route of a controller answered by its method at once, instead of by the framework's pipeline, whose guards, interceptors and pipes cost several times
 * what an answer from memory does. The route is declared as all others, so the documents know it; hooks of the server, headers and the exit of errors
 * are those of every route. For methods that ask themselves all that guards and pipes would have asked, of controllers beside the API and not below it. To be
 * called in the constructor: before routes are registered.
 */
export function answerDirectly<M extends string>(
  { httpAdapter }: HttpAdapterHost,
  controller: Readonly<Record<M, DirectHandler>>,
  method: M,
): void {
  const url = `/${pathOf(controller.constructor)}/${pathOf(controller[method])}`;
  const handler = async (request: AppRequest, reply: AppReply): Promise<AppReply> => {
    // As on every route: a segment that is empty is none.
    if (Object.values(request.params as Readonly<Record<string, string>>).includes('')) {
      reply.callNotFound();
      return reply;
    }
    return httpAdapter.reply(reply, await controller[method](request, reply)) as AppReply;
  };
  httpAdapter.getInstance<FastifyInstance>().addHook('onRoute', (route: RouteOptions) => {
    const isRead = route.method === 'GET' || route.method === 'HEAD';
    if (isRead && route.url === url) route.handler = handler;
  });
}

const pathOf = (declared: object): string => Reflect.getMetadata(PATH_METADATA, declared) as string;
