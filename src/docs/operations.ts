import type { OpenAPIObject } from '@nestjs/swagger';

type PathItem = OpenAPIObject['paths'][string];
export type Operation = NonNullable<PathItem['get']>;
export type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;

/** An id as examples show it. */
export const EXAMPLE_ID = '01980a3e-7c1b-7d2e-9f00-5a4b3c2d1e0f';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;

export type Method = (typeof METHODS)[number];

/** An operation and where it is. */
export interface Placed {
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation of the document. */
export function operationsOf(document: OpenAPIObject): Placed[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method, path, operation }] : [];
    }),
  );
}

/** A member of the operation that decorators of ours left, such as `x-access`. */
export const extensionOf = (operation: Operation, name: string): unknown =>
  (operation as unknown as Record<string, unknown>)[name];

/** Whether a rate limit counts the operation; probes are never refused. */
export const isLimited = (path: string): boolean => !path.includes('/health');

/** Whether a repetition is told from a new request by its key. Asking for rows changes nothing. */
export const takesIdempotencyKey = (method: Method, path: string): boolean =>
  method !== 'get' && !path.endsWith('/query');
