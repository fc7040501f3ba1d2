import type { OpenAPIObject } from '@nestjs/swagger';

type PathItem = OpenAPIObject['paths'][string];
export type Operation = NonNullable<PathItem['get']>;
export type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;

/** An id as examples show it. */
export const EXAMPLE_ID = '01980a3e-7c1b-7d2e-9f00-5a4b3c2d1e0f';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;

/** Every operation of the document with its path. */
export function operationsOf(document: OpenAPIObject): { readonly path: string; readonly operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, operation }] : [];
    }),
  );
}
