import type { OpenAPIObject } from '@nestjs/swagger';
import { X_ACCESS } from '../common/index.js';
import { extensionOf, isLimited, operationsOf, takesIdempotencyKey, type Method, type Placed } from './operations.js';

/** Headers of requests that many operations take, so that each is written once. */
const PARAMETERS = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header' as const,
    description:
      'Yours to choose: 1–128 printable characters. It comes back, and stands in our logs and in the audit log.',
    schema: { type: 'string' as const, minLength: 1, maxLength: 128 },
  },
  ClientId: {
    name: 'X-Client-Id',
    in: 'header' as const,
    description:
      'Comes back as `actor.clientId` in the live event of this change, so that a client can tell its own echo: 1–64 printable characters without spaces.',
    schema: { type: 'string' as const, minLength: 1, maxLength: 64 },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header' as const,
    description:
      'Makes a repetition safe: the same key on the same route gets the stored answer for 24 hours. 1–255 printable characters, new for every intention.',
    schema: { type: 'string' as const, minLength: 1, maxLength: 255 },
  },
};

/** Headers of answers. */
const HEADERS = {
  'RateLimit-Policy': {
    description: 'The limits that the route counts towards: `q` requests in `w` seconds.',
    schema: { type: 'string' as const, example: '"default";q=1000;w=60' },
  },
  RateLimit: {
    description: 'What is left of each: `r` requests, until the count begins anew in `t` seconds.',
    schema: { type: 'string' as const, example: '"default";r=998;t=42' },
  },
  'Idempotency-Replayed': {
    description: '`true` when this is the stored answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string' as const, enum: ['true'] },
  },
};

/** Documents the headers that follow from what an operation is. */
export function describeHeaders(document: OpenAPIObject): void {
  const { components } = document;
  document.components = {
    ...components,
    parameters: { ...components?.parameters, ...PARAMETERS },
    headers: { ...components?.headers, ...HEADERS },
  };
  for (const placed of operationsOf(document)) {
    const { method, path, operation } = placed;
    const names: (keyof typeof PARAMETERS)[] = [
      'RequestId',
      ...(isAnnounced(method, path) ? (['ClientId'] as const) : []),
      ...(takesIdempotencyKey(method, path) ? (['IdempotencyKey'] as const) : []),
    ];
    operation.parameters = [
      ...(operation.parameters ?? []),
      ...names.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ];
    describeAnswers(placed);
  }
}

/** Whether it changes a table, which those who follow the table are told. */
const isAnnounced = (method: Method, path: string): boolean =>
  method !== 'get' && path.includes('/tables/') && !/\/(query|attachments)$/.test(path);

function describeAnswers({ method, path, operation }: Placed): void {
  const isPublic = extensionOf(operation, X_ACCESS) === 'public';
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response || '$ref' in response) continue;
    // Who is not signed in is not counted.
    const counted = isLimited(path) && (isPublic || status !== '401');
    const names: (keyof typeof HEADERS)[] = [
      ...(counted ? (['RateLimit-Policy', 'RateLimit'] as const) : []),
      ...(takesIdempotencyKey(method, path) && status < '300' ? (['Idempotency-Replayed'] as const) : []),
    ];
    const headers = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
    response.headers = { ...response.headers, ...Object.fromEntries(headers) };
  }
}
