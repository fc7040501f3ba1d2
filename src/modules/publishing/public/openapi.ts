import { columnType, type ColumnTypeName } from '../../../query/index.js';
import type { ShownColumn } from '../../views/index.js';
import { MEDIA_TYPES } from './formats.js';
import type { Visit } from './publication.js';

type Json = Readonly<Record<string, unknown>>;

/** Values by which people see what a cell looks like. */
const SAMPLES: Partial<Readonly<Record<ColumnTypeName, unknown>>> = {
  integer: 3,
  decimal: '12.50',
  currency: '12.50',
  percent: '0.25',
  rating: 4,
  duration: 5400,
  boolean: true,
  date: '2026-01-31',
  datetime: '2026-01-31T12:00:00.000Z',
  json: { any: 'value' },
  url: 'https://www.example.com',
  email: 'ada@example.com',
  phone: '+49 30 123456',
  autonumber: 1,
  link: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11',
  count: 2,
  attachment: { id: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11', name: 'plan.pdf', size: 1024, mimeType: 'application/pdf' },
};

/** The document of one published view (OpenAPI 3.1), as this reader sees it: what his key hides is not in it. */
export function openApiOf({ publication, key, scope }: Visit, columns: readonly ShownColumn[]): Json {
  const { path, title, apiVersion, version, auth, maxLimit, succession } = publication;
  const deprecated = succession ? { deprecated: true } : {};
  const security = auth === 'key' ? { security: [{ apiKey: [] }, { bearer: [] }] } : {};
  const shared = [...filterParameter(columns, scope.filterable), ...sortParameter(scope.sortable)];
  const limit = parameter('limit', 'Rows of a page.', {
    type: 'integer',
    minimum: 1,
    maximum: maxLimit,
    default: Math.min(50, maxLimit),
  });
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: `${apiVersion}.${version}`,
      description: `Read-only. Requests: ${limitText(key?.limit ?? publication.limit)}.`,
    },
    servers: [{ url: '/' }],
    ...security,
    paths: {
      [`${path}/data`]: {
        get: {
          operationId: 'data',
          ...deprecated,
          summary: 'Read a page',
          parameters: [
            limit,
            parameter('cursor', 'page.nextCursor of the page before.', { type: 'string' }),
            ...shared,
            parameter('format', 'Instead of Accept.', { type: 'string', enum: ['json', 'csv', 'ndjson'] }),
            {
              name: 'If-None-Match',
              in: 'header',
              description: 'ETag of an answer that you have.',
              schema: { type: 'string' },
            },
          ],
          responses: {
            200: { description: 'A page.', headers: HEADERS, content: contentOf(columns) },
            304: { description: 'You have it already.' },
            ...problems(
              auth === 'key' ? [400, 401, 404, 409, 422, 429, 502, 503, 504] : [400, 404, 409, 422, 429, 502, 503, 504],
            ),
          },
        },
      },
      [`${path}/stream`]: {
        get: {
          operationId: 'stream',
          ...deprecated,
          summary: 'Follow the first page as it changes',
          description:
            'Server-sent events: each `data` event holds the page as it is then. Its `id` is the ETag; send the last one in `Last-Event-ID` to get nothing twice.',
          parameters: [limit, ...shared, { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } }],
          responses: {
            200: { description: 'Events.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
            ...problems(auth === 'key' ? [400, 401, 404, 422, 429] : [400, 404, 422, 429]),
          },
        },
      },
    },
    components: {
      schemas: { Row: rowSchema(columns), Page: PAGE, Problem: PROBLEM },
      ...(auth === 'key' ? { securitySchemes: SCHEMES } : {}),
    },
  };
}

const limitText = ({ limit, windowSeconds }: { readonly limit: number; readonly windowSeconds: number }): string =>
  `${limit.toLocaleString('en')} in ${windowSeconds.toLocaleString('en')} s`;

const parameter = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  description,
  schema,
});

function filterParameter(columns: readonly ShownColumn[], filterable: readonly string[]): readonly Json[] {
  const lines = columns.flatMap(({ key, operators }) =>
    filterable.includes(key) ? `- \`${key}\`: ${operators.join(', ')}` : [],
  );
  if (lines.length === 0) return [];
  const text = 'Conditions as `key.operator.value`, put together with `and(…)`, `or(…)`, `not(…)`, on:';
  return [parameter('filter', `${text}\n${lines.join('\n')}`, { type: 'string' })];
}

const sortParameter = (sortable: readonly string[]): readonly Json[] =>
  sortable.length === 0
    ? []
    : [
        parameter('sort', `Keys with commas between, \`-\` in front for descending, of: ${sortable.join(', ')}.`, {
          type: 'string',
        }),
      ];

function rowSchema(columns: readonly ShownColumn[]): Json {
  return {
    type: 'object',
    required: columns.map(({ key }) => key),
    additionalProperties: false,
    properties: Object.fromEntries(columns.map((column) => [column.key, cellSchema(column)])),
    example: Object.fromEntries(columns.map((column) => [column.key, sampleOf(column)])),
  };
}

/** A list is never null, a single value may be. */
function cellSchema({ type, name, list, options }: ShownColumn): Json {
  const { choices } = options;
  const value: Json = { ...columnType(type).jsonSchema, ...(choices ? { enum: choices.map(({ key }) => key) } : {}) };
  if (list) return { type: 'array', items: value, title: name };
  return Object.keys(value).length === 0 ? { title: name } : { title: name, anyOf: [value, { type: 'null' }] };
}

function sampleOf({ type, list, options }: ShownColumn): unknown {
  const value = options.choices?.[0]?.key ?? SAMPLES[type] ?? 'text';
  return list ? [value] : value;
}

const REF = { $ref: '#/components/schemas/Page' };

const contentOf = (columns: readonly ShownColumn[]): Json => ({
  'application/json': { schema: REF },
  [mediaType('csv')]: { schema: { type: 'string' }, example: `${columns.map(({ key }) => key).join(',')}\r\n` },
  [mediaType('ndjson')]: { schema: { type: 'string', description: 'A Row on each line.' } },
});

const mediaType = (format: 'csv' | 'ndjson'): string => MEDIA_TYPES[format].split(';')[0] ?? '';

const HEADERS = {
  ETag: { description: 'Another one as soon as anything has changed.', schema: { type: 'string' } },
  Link: { description: 'The next page, `rel="next"`.', schema: { type: 'string' } },
  RateLimit: { schema: { type: 'string' } },
} as const;

const PAGE = {
  type: 'object',
  required: ['data', 'page'],
  properties: {
    data: { type: 'array', items: { $ref: '#/components/schemas/Row' } },
    page: {
      type: 'object',
      required: ['limit'],
      properties: {
        limit: { type: 'integer' },
        nextCursor: { type: 'string', description: 'Absent on the last page.' },
      },
    },
  },
} as const;

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    errors: { type: 'array', items: { type: 'object' } },
  },
} as const;

const SCHEMES = {
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  bearer: { type: 'http', scheme: 'bearer' },
} as const;

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'Something cannot be read.',
  401: 'The key is missing or not valid.',
  404: 'There is nothing at this address.',
  409: 'What was published does not fit its sources any more.',
  422: 'Something is asked that was not declared.',
  429: 'Too many requests; see Retry-After.',
  502: 'A source cannot be reached.',
  503: 'Try again in a moment.',
  504: 'A source takes too long.',
};

const problems = (statuses: readonly number[]): Json =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
