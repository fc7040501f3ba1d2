import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { invalid, type ProblemItem } from '../errors/index.js';
import type { AppRequest } from '../http.js';
import { MAX_FINDINGS, pointer } from '../pipes/index.js';

/** What of a request a handler takes: everything (a DTO, which refuses what it does not know) or the named keys only. */
type Taken = 'all' | ReadonlySet<string>;
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
    const unknown = unknownKeys(request.query as object, route.query, 'is not a query parameter of this route');
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

function unknownKeys(given: object, taken: Taken, why: string): ProblemItem[] {
  const items: ProblemItem[] = [];
  for (const key in given) {
    if (isTaken(key, taken)) continue;
    if (items.length === MAX_FINDINGS) break;
    items.push({ pointer: pointer(key.slice(0, 64)), code: 'unknown_property', detail: `${key.slice(0, 64)} ${why}.` });
  }
  return items;
}

/** class-transformer silently drops what every object inherits, `constructor` or `toString`, so that no validator sees it. */
const isTaken = (key: string, taken: Taken): boolean => (taken === 'all' ? !(key in Object.prototype) : taken.has(key));
