/** A node of a schema, as the metadata of classes gives it (OpenAPI 3.0) or as AsyncAPI takes it (JSON Schema, draft 7). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The draft 7 form of an OpenAPI 3.0 schema: `nullable` becomes a type, `example` becomes `examples`. Objects that list
 * their properties have no others, unless the schema says so itself: a message is exactly what its class is.
 */
export function toJsonSchema(schema: JsonSchema): JsonSchema {
  const { nullable, example, ...rest } = schema;
  const converted = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, convert(key, part)]));
  const isClosed = 'properties' in rest && !('additionalProperties' in rest);
  return {
    ...(nullable === true ? orNull(converted) : converted),
    ...(isClosed ? { additionalProperties: false } : {}),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

function convert(key: string, part: unknown): unknown {
  if (key === 'properties') return mapValues(part as Readonly<Record<string, JsonSchema>>, toJsonSchema);
  if (key === 'allOf' || key === 'oneOf' || key === 'anyOf') return (part as readonly JsonSchema[]).map(toJsonSchema);
  if (key === 'items' || (key === 'additionalProperties' && typeof part === 'object'))
    return toJsonSchema(part as JsonSchema);
  return part;
}

function orNull({ type, enum: values, ...rest }: JsonSchema): JsonSchema {
  if (type === undefined) return { anyOf: [rest, { type: 'null' }] };
  return {
    type: [type, 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
    ...rest,
  };
}

const mapValues = <T, R>(object: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
