import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf } from './operations.js';

/** Parameters of paths that no handler takes by name, since a guard has read them. */
const PARAMETERS = {
  apiVersion: { description: 'A version beside the first, `v2` and so on.', schema: { type: 'string', example: 'v2' } },
} as const;

/** Documents what stands in a path and is no argument of the method. */
export function describePaths(document: OpenAPIObject): void {
  for (const { path, operation } of operationsOf(document))
    for (const [name, parameter] of Object.entries(PARAMETERS))
      if (path.includes(`{${name}}`))
        operation.parameters = [...(operation.parameters ?? []), { name, in: 'path', required: true, ...parameter }];
}
