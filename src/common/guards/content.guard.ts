import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { invalid, type ProblemItem } from '../errors/index.js';
import type { AppRequest } from '../http.js';
import { unknownKeys, unknownParameters, type Taken } from '../pipes/index.js';

interface Route {
  readonly query: Taken;
  readonly body: Taken;
}
type Handler = (...args: never[]) => unknown;

/**
 * The last global guard: refuses a body that could not be read, and query parameters and properties that the handler does
 * not take. A guard, because pipes run only for the parameters that a handler has; the last, because who may not call is
 * told that first.
 */
@Injectable()
export class ContentGuard implements CanActivate {
  private readonly routes = new WeakMap<Handler, Route>();

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AppRequest>();
    if (request.bodyProblem) throw request.bodyProblem;
    const route = this.route(context);
    const unknown = unknownParameters(request.query as object, route.query);
    if (request.body !== undefined) unknown.push(...unknownInBody(request.body, route.body));
    if (unknown.length > 0) throw invalid(unknown);
    return true;
  }

  private route(context: ExecutionContext): Route {
    const handler = context.getHandler() as Handler;
    let route = this.routes.get(handler);
    if (!route) {
      route = routeOf(context.getClass(), handler.name);
      this.routes.set(handler, route);
    }
    return route;
  }
}

function routeOf(controller: object, method: string): Route {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Record<
    string,
    { data?: unknown }
  >;
  const taken = (type: RouteParamtypes): Taken => {
    const names = Object.entries(args)
      .filter(([key]) => key.startsWith(`${type}:`))
      .map(([, { data }]) => data);
    return names.some((name) => typeof name !== 'string') ? 'all' : new Set(names as string[]);
  };
  return { query: taken(RouteParamtypes.QUERY), body: taken(RouteParamtypes.BODY) };
}

function unknownInBody(body: unknown, taken: Taken): ProblemItem[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return [{ pointer: '', code: 'not_an_object', detail: 'The body must be a JSON object.' }];
  }
  return unknownKeys(body, taken, 'is not known here');
}
