import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto, ProblemItemDto } from '../../common/errors/problem.dto.js';
import { toJsonSchema, type JsonSchema } from './json-schema.js';

/** Problems may have further members (RFC 9457 section 3.2). */
const OPEN: readonly Type[] = [ProblemDto, ProblemItemDto];

/** The schemas of these classes, and of those that they name, by class name; from the same metadata that Swagger reads. */
export function schemasOf(app: INestApplication, classes: readonly Type[]): Record<string, JsonSchema> {
  const { components } = SwaggerModule.createDocument(app, new DocumentBuilder().build(), {
    // A class that is no module: the document, which is thrown away, has no routes then.
    include: [ProblemDto],
    extraModels: [...classes],
  });
  const open = new Set(OPEN.map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(components?.schemas ?? {})
      .map(([name, schema]) => [name, schema as JsonSchema] as const)
      .map(([name, schema]) => [
        name,
        toJsonSchema(open.has(name) ? { ...schema, additionalProperties: true } : schema),
      ]),
  );
}
