import type { OpenAPIObject } from '@nestjs/swagger';

type Node = Record<string, unknown>;

/** Null, and nothing else; a new one each time, for what is one object twice becomes an anchor in YAML. */
const onlyNull = (): Node => ({ type: 'object', nullable: true, enum: [null] });

/**
 * Says of schemas that are put together and may be null that null is one of their alternatives. With `nullable` beside them it is none: `nullable`
 * adds to the `type` of its own schema, and each of the parts has to hold as well (OpenAPI 3.0.3, Schema Object, `nullable`).
 */
export function describeNulls(document: OpenAPIObject): void {
  visit(document);
}

function visit(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const part of Object.values(node)) visit(part);
  if ((node as Node).nullable === true) tellNull(node as Node);
}

function tellNull(schema: Node): void {
  const { allOf, oneOf, anyOf } = schema;
  if (Array.isArray(oneOf)) schema.oneOf = [...(oneOf as unknown[]), onlyNull()];
  else if (Array.isArray(anyOf)) schema.anyOf = [...(anyOf as unknown[]), onlyNull()];
  else if (Array.isArray(allOf)) {
    schema.oneOf =
      allOf.length === 1 ? [...(allOf as unknown[]), onlyNull()] : [{ allOf: allOf as unknown[] }, onlyNull()];
    delete schema.allOf;
  } else return;
  delete schema.nullable;
  delete schema.type;
}
