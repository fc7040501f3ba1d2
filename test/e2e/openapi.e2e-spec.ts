import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ERRORS } from '../../src/common/errors/index.js';
import { projectRoot } from '../../src/config/index.js';
import { client, expectStatus, signup, startNode } from '../harness/index.js';

jest.setTimeout(120_000);

interface Media {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>;
}
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: unknown;
  readonly nullable?: boolean;
}
interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly $ref?: string;
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly headers?: Readonly<Record<string, object>>;
        readonly content?: Readonly<Record<string, Media>>;
      }
    >
  >;
  readonly 'x-access'?: string;
  readonly 'x-permission'?: string;
}
interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object };
}

let base: string;
let document: Document;
/** Every operation as `METHOD path`. */
let operations: (readonly [name: string, operation: Operation])[];
beforeAll(async () => {
  // The built server: the compiler's plugin reads the DTOs, so a document made from the sources would lack their fields.
  const node = await startNode();
  base = node.base;
  document = expectStatus(await client(node.base).get<Document>('/api/docs-json'), 200);
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
});

/** The names of the operations that break a rule; so that a failure says which. */
const breaking = (rule: (operation: Operation, name: string) => boolean): string[] =>
  operations.filter(([name, operation]) => !rule(operation, name)).map(([name]) => name);

const resolve = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});

/** Whether a schema says anything: a bare `{}` or `{ type: 'object' }` does not. */
function tells(schema: Schema | undefined): boolean {
  if (!schema) return false;
  const { properties, items, allOf, oneOf, anyOf, type, additionalProperties } = resolve(schema);
  if (properties) return Object.keys(properties).length > 0;
  if (allOf ?? oneOf ?? anyOf) return true;
  if (type === 'array') return tells(items);
  return (type !== undefined && type !== 'object') || additionalProperties !== undefined;
}

/** JSON, but for files, pages and streams. */
const schemaOf = (content: Readonly<Record<string, Media>> = {}): Schema | undefined =>
  [
    'application/json',
    'multipart/form-data',
    'application/octet-stream',
    '*/*',
    'text/csv',
    'application/x-ndjson',
    'text/html',
    'text/event-stream',
  ].flatMap((type) => content[type]?.schema ?? [])[0];

const success = ({ responses }: Operation) => Object.entries(responses).filter(([status]) => status.startsWith('2'));

describe('the OpenAPI document', () => {
  it('is what docs/openapi.json says (npm run openapi)', async () => {
    const served = await client(base).get('/api/docs-json');
    const written = readFileSync(path.join(projectRoot, 'docs/openapi.json'), 'utf8');
    expect(JSON.parse(written)).toEqual(served.body);
    expect(written).toBe(`${JSON.stringify(served.body, null, 2)}\n`);
  });

  it('knows the operations of every module', () => {
    expect(operations.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'POST /api/v1/auth/register',
        'GET /api/v1/workspaces/{workspaceId}',
        'POST /api/v1/bases/{baseId}/tables',
        'POST /api/v1/tables/{tableId}/rows/bulk',
        'GET /api/v1/health',
      ]),
    );
  });

  it('gives every operation a summary, a known tag and an id of its own', () => {
    const tags = document.tags.map(({ name }) => name);
    expect(breaking(({ summary }) => (summary ?? '') !== '')).toEqual([]);
    expect(breaking((operation) => operation.tags?.length === 1 && tags.includes(operation.tags[0] ?? ''))).toEqual([]);
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  });

  it('describes the success of every operation, with a schema unless it is a 204 or a 202', () => {
    expect(breaking((operation) => success(operation).length > 0)).toEqual([]);
    expect(
      breaking((operation) =>
        success(operation).every(
          ([status, { content }]) => status === '204' || status === '202' || tells(schemaOf(content)),
        ),
      ),
    ).toEqual([]);
  });

  it('gives every request body a schema', () => {
    expect(breaking(({ requestBody }) => !requestBody || tells(schemaOf(requestBody.content)))).toEqual([]);
    expect(
      breaking(
        ({ requestBody }, name) =>
          !/^(POST|PATCH|PUT)/.test(name) ||
          requestBody !== undefined ||
          /\/(restore|accept|redeliver|\{(connection|webhook)Id\}\/test)$/.test(name),
      ),
    ).toEqual([]);
  });

  it('describes the errors of every operation as problems, with an example per code', () => {
    for (const [name, { responses }] of operations) {
      const errors = Object.entries(responses).filter(
        ([status, { content }]) => status >= '400' && content?.['application/json'] === undefined,
      );
      expect([name, errors.length]).toEqual([name, expect.any(Number)]);
      expect(errors.length).toBeGreaterThan(0);
      for (const [status, { content }] of errors) {
        const problem = content?.['application/problem+json'];
        expect([name, status, problem?.schema]).toEqual([name, status, { $ref: '#/components/schemas/ProblemDto' }]);
        for (const [code, { value }] of Object.entries(problem?.examples ?? {})) {
          expect([name, code, String(ERRORS[code as keyof typeof ERRORS].status)]).toEqual([name, code, status]);
          expect(value).toMatchObject({ code, status: Number(status), detail: expect.any(String) });
        }
      }
    }
  });

  it('says of every operation who may call it, and locks all that are not public', () => {
    const known = ['public', 'signed-in', 'viewer', 'editor', 'admin', 'owner'];
    expect(breaking((operation) => known.includes(operation['x-access'] ?? ''))).toEqual([]);
    expect(
      breaking((operation) => (operation['x-access'] === 'public') === ((operation.security ?? []).length === 0)),
    ).toEqual([]);
    expect(breaking(({ responses, ...operation }) => operation['x-access'] === 'public' || '401' in responses)).toEqual(
      [],
    );
    expect(document.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  });

  it('says of every operation in a workspace which permission it needs, and shows both refusals', () => {
    const guarded = operations.filter(([, operation]) => operation['x-permission'] !== undefined);
    expect(guarded.length).toBeGreaterThan(20);
    for (const [name, { description = '', responses, ...operation }] of guarded) {
      expect([name, description]).toEqual([
        name,
        expect.stringContaining(
          `Needs the permission \`${operation['x-permission'] ?? ''}\`: the role ${operation['x-access'] ?? ''}`,
        ),
      ]);
      const example = (status: string, code: string) =>
        responses[status]?.content?.['application/problem+json']?.examples?.[code]?.value.detail;
      expect([name, example('404', 'not_found')]).toEqual([
        name,
        expect.stringMatching(
          /^(workspace|base|table|import|connection|view) does not exist or is not visible to you\.$/,
        ),
      ]);
      if (operation['x-access'] === 'viewer') continue;
      expect([name, example('403', 'role_too_low')]).toEqual([
        name,
        expect.stringMatching(new RegExp(`^This needs the role ${operation['x-access'] ?? ''}; yours is \\w+\\.$`)),
      ]);
    }
  });

  it('documents keys of idempotency where they are taken: on every write', () => {
    const takes = ({ parameters = [] }: Operation) =>
      parameters.some(({ $ref }) => $ref === '#/components/parameters/IdempotencyKey');
    expect(
      breaking((operation, name) => takes(operation) === (!name.startsWith('GET') && !name.endsWith('/query'))),
    ).toEqual([]);
    expect(
      breaking(
        (operation) =>
          takes(operation) === success(operation).every(([, { headers }]) => 'Idempotency-Replayed' in (headers ?? {})),
      ),
    ).toEqual([]);
  });

  it('documents the headers of rate limits exactly where they are sent', async () => {
    const documented = (name: string, status: string) =>
      'RateLimit' in (operations.find(([each]) => each === name)?.[1].responses[status]?.headers ?? {});
    const [person, nobody] = [await signup(base), client(base)];
    const real = [
      ['GET /api/v1/workspaces', '200', await person.get('/workspaces')],
      ['GET /api/v1/workspaces', '401', await nobody.get('/workspaces')],
      ['POST /api/v1/workspaces', '422', await person.post('/workspaces', {})],
      ['GET /api/v1/workspaces/{workspaceId}', '404', await person.get(`/workspaces/${person.user.id}`)],
      ['POST /api/v1/auth/login', '422', await nobody.post('/auth/login', {})],
      ['GET /api/v1/health', '200', await nobody.get('/health')],
    ] as const;
    for (const [name, status, answer] of real)
      expect([name, answer.status, documented(name, status)]).toEqual([
        name,
        Number(status),
        answer.headers.has('ratelimit'),
      ]);
  });

  it('declares every parameter in a path', () => {
    expect(
      breaking(({ parameters = [] }, name) => {
        const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
        return inPath.every((each) => parameters.some(({ name: is, in: where }) => where === 'path' && is === each));
      }),
    ).toEqual([]);
  });

  it('lets null be what it says that may be null, by the letter of OpenAPI 3.0', () => {
    const wrong: string[] = [];
    const look = (node: unknown, at: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { nullable, type, allOf, oneOf, anyOf } = node as Schema;
      if (nullable === true && (type === undefined || (allOf ?? oneOf ?? anyOf))) wrong.push(at);
      for (const [key, part] of Object.entries(node)) look(part, `${at}/${key}`);
    };
    look(document, '');
    expect(wrong).toEqual([]);
  });

  it('has no reference that leads nowhere, and no schema that says nothing', () => {
    const text = JSON.stringify(document);
    const references = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? ''));
    expect([...references].filter((name) => !(name in document.components.schemas))).toEqual([]);
    expect(
      Object.entries(document.components.schemas)
        .filter(([, schema]) => !tells(schema))
        .map(([name]) => name),
    ).toEqual([]);
  });
});

/** What Swagger UI puts into the box of a request body. */
function exampleOf(given: Schema): unknown {
  const schema = { ...resolve(given), ...given };
  const { properties, items, type, allOf, oneOf } = schema;
  const known = [schema.example, schema.default, schema.enum?.[0]].find((each) => each !== undefined);
  if (known !== undefined) return known;
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, exampleOf(each)]));
  if (items) return [exampleOf(items)];
  const first = allOf?.[0] ?? oneOf?.[0];
  if (first) return exampleOf(first);
  return { string: 'string', number: 0, integer: 0, boolean: true }[type ?? ''] ?? {};
}

describe('a newcomer who only presses "Execute" and fills in ids', () => {
  const bodyOf = (name: string): unknown => {
    const operation = operations.find(([each]) => each === name)?.[1];
    return exampleOf(operation?.requestBody?.content['application/json']?.schema ?? {});
  };
  const queryOf = (name: string): string => {
    const operation = operations.find(([each]) => each === name)?.[1];
    const given = (operation?.parameters ?? []).filter(({ in: where, schema }) => where === 'query' && schema?.example);
    return String(
      new URLSearchParams(Object.fromEntries(given.map(({ name: key, schema }) => [key, String(schema?.example)]))),
    );
  };

  it('gets from the sign-up to rows: the examples fit together', async () => {
    const nobody = client(base);
    const { accessToken } = expectStatus(
      await nobody.post<{ accessToken: string }>('/auth/register', bodyOf('POST /api/v1/auth/register')),
      201,
    );
    const person = client(base, accessToken);
    const make = async (path: string, ids: Record<string, string> = {}, status = 201): Promise<string> => {
      const concrete = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? name);
      return expectStatus(await person.post<{ id: string }>(concrete, bodyOf(`POST ${path}`)), status).id;
    };
    expectStatus(await nobody.post('/auth/login', bodyOf('POST /api/v1/auth/login')), 200);
    const workspaceId = await make('/api/v1/workspaces');
    const baseId = await make('/api/v1/workspaces/{workspaceId}/bases', { workspaceId });
    const tableId = await make('/api/v1/bases/{baseId}/tables', { baseId });
    await make('/api/v1/tables/{tableId}/columns', { tableId });
    await make('/api/v1/tables/{tableId}/rows', { tableId });
    await make('/api/v1/tables/{tableId}/rows/bulk', { tableId }, 200);
    await make('/api/v1/tables/{tableId}/rows/query', { tableId }, 200);
    const rows = '/api/v1/tables/{tableId}/rows';
    const listed = await person.get<{ data: unknown[] }>(`/tables/${tableId}/rows?${queryOf(`GET ${rows}`)}`);
    expect(expectStatus(listed, 200).data.length).toBeGreaterThan(0);
  });
});
