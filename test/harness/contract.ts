import { readFileSync } from 'node:fs';
import path from 'node:path';
import formats from 'ajv-formats';
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js';
import { projectRoot } from '../../src/config/index.js';

type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema?: Json }>> }
    >
  >;
}

/** What is looked at of an answer. */
export interface Answered {
  readonly method: string;
  /** Path and query below the host. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, undefined where there is none. */
  readonly body: unknown;
}

/**
 * Holds answers against docs/openapi.json: the status is one that the operation documents, so is the media type, and a JSON body is exactly what its schema says: a
 * property that the document does not name is a finding too. Requests that no operation takes are not looked at.
 */
export class Contract {
  private readonly routes: readonly {
    readonly method: string;
    readonly pattern: RegExp;
    readonly operation: Operation;
    readonly name: string;
  }[];
  private readonly ajv = new Ajv2019({ strict: false, allErrors: false, validateFormats: true });
  private readonly validators = new Map<object, ValidateFunction>();

  constructor(document = readDocument()) {
    formats.default(this.ajv);
    this.ajv.addSchema({ $id: 'document', $defs: definitions(document.components.schemas) });
    this.routes = Object.entries(document.paths)
      // Words before parameters: `/views/preview` is not a view.
      .sort(([a], [b]) => wildness(a) - wildness(b))
      .flatMap(([template, operations]) =>
        Object.entries(operations).map(([method, operation]) => ({
          method: method.toUpperCase(),
          pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
          operation,
          name: `${method.toUpperCase()} ${template}`,
        })),
      );
  }

  /** Undefined: it is as documented. */
  finding({ method, path: url, status, headers, body }: Answered): string | undefined {
    const pathname = url.split(/[?#]/)[0] ?? '';
    const route = this.routes.find((each) => each.method === method && each.pattern.test(pathname));
    if (!route) return undefined;
    const response = route.operation.responses[status];
    const place = `${route.name} → ${status}`;
    // What HTTP itself refuses never comes to the operation.
    if (status === 431) return undefined;
    if (!response) return `${place} is not documented: ${JSON.stringify(body)}`;
    const media = headers.get('content-type')?.split(';')[0] ?? '';
    if (media === '' && response.description.includes('no body')) return undefined;
    if (!response.content) return media === '' ? undefined : `${place} documents no body, and has one of ${media}`;
    const schema = response.content[media]?.schema;
    if (!(media in response.content) && !('*/*' in response.content))
      return `${place} does not document ${media || 'an empty body'}`;
    if (!schema || !/\bjson$/.test(media)) return undefined;
    const validate = this.validator(schema);
    if (validate(body)) return undefined;
    const [error] = validate.errors ?? [];
    return `${place} ${error?.instancePath ?? ''} ${error?.message ?? ''} ${JSON.stringify(error?.params)} (${error?.schemaPath ?? ''}): ${JSON.stringify(body).slice(0, 300)}`;
  }

  private validator(schema: Json): ValidateFunction {
    const known = this.validators.get(schema);
    if (known) return known;
    const made = this.ajv.compile(strict(schema, true));
    this.validators.set(schema, made);
    return made;
  }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

const readDocument = (): Document =>
  JSON.parse(readFileSync(path.join(projectRoot, 'docs/openapi.json'), 'utf8')) as Document;

const wildness = (template: string): number => (template.match(/\{/g) ?? []).length;

/** Each component twice: as it stands alone, where properties that it does not name are refused, and as a part of an `allOf`. */
function definitions(schemas: Readonly<Record<string, Json>>): Json {
  return Object.fromEntries(
    Object.entries(schemas).flatMap(([name, schema]) => [
      [name, strict(schema, true)],
      [`${name}.part`, strict(schema, false)],
    ]),
  );
}

/** What the parts of a schema hold, here and there. */
interface OpenApiSchema {
  readonly $ref?: string;
  readonly nullable?: boolean;
  readonly allOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly anyOf?: readonly Json[];
  readonly items?: Json;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly additionalProperties?: boolean | Json;
}

/** JSON Schema 2019-09 of an OpenAPI 3.0 schema. `closed`: properties that it does not name are refused. */
function strict(schema: Json, closed: boolean): Json {
  const {
    $ref,
    nullable,
    allOf,
    properties,
    items,
    oneOf,
    anyOf,
    additionalProperties: more,
    ...rest
  } = schema as OpenApiSchema;
  const each = (list: readonly Json[], alone: boolean) => list.map((item) => strict(item, alone));
  const made: Json = {
    ...rest,
    ...($ref === undefined ? {} : { $ref: `document#/$defs/${$ref.split('/').at(-1) ?? ''}${closed ? '' : '.part'}` }),
    ...(allOf ? { allOf: each(allOf, false) } : {}),
    ...(oneOf ? { oneOf: each(oneOf, closed) } : {}),
    ...(anyOf ? { anyOf: each(anyOf, closed) } : {}),
    ...(items ? { items: strict(items, true) } : {}),
    ...(properties ? { properties: mapped(properties, (property) => strict(property, true)) } : {}),
    ...(more === undefined ? {} : { additionalProperties: typeof more === 'object' ? strict(more, true) : more }),
    ...(more === undefined && closed && (properties ?? allOf) ? { unevaluatedProperties: false } : {}),
  };
  return nullable === true ? { anyOf: [{ type: 'null' }, made] } : made;
}

const mapped = (record: Readonly<Record<string, Json>>, make: (value: Json) => Json): Json =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, make(value)]));
