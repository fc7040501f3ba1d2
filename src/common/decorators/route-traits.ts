import { RouteConfig } from '@nestjs/platform-fastify';

/** What the edge does otherwise for a route; in the configuration that Fastify keeps for it. */
export interface RouteTraits {
  /** Its body is `multipart/form-data` and nothing else; the handler reads it while it arrives. */
  readonly multipart?: true;
  /** Its body is text of one of these media types; the handler reads it while it arrives. */
  readonly streamed?: readonly string[];
  /** Called every few seconds by machines: its successes are worth no line in the log. */
  readonly quiet?: true;
  /** Its answers go out as they are: they have ranges, and an ETag for these very bytes. */
  readonly compress?: false;
  /** Which browsers' pages may read it is the handler's matter, and not that of `CORS_ORIGIN`. */
  readonly cors?: { readonly origin: false };
}

/** Marks a route as other than most; see {@link RouteTraits}. */
export const Traits = (traits: RouteTraits): MethodDecorator => RouteConfig(traits);

/** Those of the route that a request leads to. */
export const traitsOf = (route: { readonly config?: unknown }): RouteTraits => route.config ?? {};
