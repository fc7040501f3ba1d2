/**
 * TypeScript types out of an OpenAPI document: one per schema, and of each operation its parameters, body and answer. It knows what the
 * documents of this project use; an unknown kind of schema is an error, so that no type is ever silently `unknown`.
 */
const KNOWN = new Set(
  `$ref type properties required items enum oneOf anyOf allOf additionalProperties nullable format description example examples default
  title minLength maxLength minItems maxItems minimum maximum pattern uniqueItems readOnly writeOnly deprecated minProperties maxProperties
  exclusiveMinimum exclusiveMaximum`.split(/\s+/),
);

/** The whole module, as text; the same document gives the same text. */
export function clientTypes({ paths, components }) {
  const schemas = Object.entries(components.schemas)
    .sort(byName)
    .map(([name, schema]) => `  ${name}: ${typeOf(schema)};`);
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/v1/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        `${method.toUpperCase()} ${path.slice('/api/v1'.length)}`,
        operationType(operation),
      ]),
    )
    .sort(byName)
    .map(([name, type]) => `  '${name}': ${type};`);
  return [
    '// Made by `npm run client:types` out of docs/openapi.json; not to be edited.',
    '',
    '/** The shapes of the API, by their names in its document. */',
    'export interface Schemas {',
    ...schemas,
    '}',
    '',
    '/** What each operation takes and answers with, by method and path. */',
    'export interface Operations {',
    ...operations,
    '}',
    '',
  ].join('\n');
}

function operationType({ parameters = [], requestBody, responses }) {
  const of = (place) => parameters.filter((each) => each.in === place);
  const fields = (list) =>
    list.map(({ name, required, schema }) => `${name}${required ? '' : '?'}: ${typeOf(schema)}`).join('; ');
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => content?.['application/json']?.schema)
    .map((schema) => (schema === undefined ? 'undefined' : typeOf(schema)));
  const [path, query] = [of('path'), of('query')];
  return `{ ${[
    ...(path.length > 0 ? [`path: { ${fields(path)} }`] : []),
    ...(query.length > 0 ? [`query: { ${fields(query)} }`] : []),
    ...(body === undefined ? [] : [`body: ${typeOf(body)}`]),
    `answer: ${[...new Set(answers)].join(' | ')}`,
  ].join('; ')} }`;
}

function typeOf(schema) {
  const strange = Object.keys(schema).filter((key) => !KNOWN.has(key) && !key.startsWith('x-'));
  if (strange.length > 0) throw new Error(`No type is known for ${strange.join(', ')} in ${JSON.stringify(schema)}`);
  const type = bare(schema);
  return schema.nullable && type !== 'unknown' && type !== 'null' ? `${type} | null` : type;
}

function bare(schema) {
  const { $ref, enum: values, oneOf, anyOf, allOf, type } = schema;
  if ($ref !== undefined) return `Schemas['${$ref.split('/').at(-1)}']`;
  if (values !== undefined) return values.map((value) => JSON.stringify(value).replaceAll('"', "'")).join(' | ');
  if (oneOf ?? anyOf) return group((oneOf ?? anyOf).map(typeOf), ' | ');
  if (allOf) return group(allOf.map(typeOf), ' & ');
  if (type === 'array') return `(${typeOf(schema.items ?? {})})[]`;
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string') return schema.format === 'binary' ? 'Blob' : 'string';
  if (type === 'boolean') return 'boolean';
  return type === 'object' || schema.properties ? objectType(schema) : 'unknown';
}

function objectType({ properties = {}, required = [], additionalProperties }) {
  const fields = Object.entries(properties).map(
    ([name, schema]) =>
      `${/^\w+$/.test(name) ? name : `'${name}'`}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
  );
  const rest =
    additionalProperties && typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  if (fields.length === 0) return `Record<string, ${rest}>`;
  return `{ ${fields.join('; ')} }${additionalProperties ? ` & Record<string, ${rest}>` : ''}`;
}

const group = (types, by) => (types.length === 1 ? types[0] : `(${[...new Set(types)].join(by)})`);
const byName = ([a], [b]) => (a < b ? -1 : 1);
