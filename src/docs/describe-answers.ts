import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE_ID, operationsOf, type Operation, type Response } from './operations.js';

/** What every answer carries, so that it is written once. */
const HEADERS = {
  'X-Request-Id': {
    description: "The caller's, if valid, else a new one. Name it when you report a problem.",
    schema: { type: 'string' as const, example: EXAMPLE_ID },
  },
  'Server-Timing': {
    description: 'Milliseconds, in all (`app`) and of the database (`db`).',
    schema: { type: 'string' as const, example: 'app;dur=3.1, db;dur=1.8' },
  },
  Location: { description: 'The path of what was created.', schema: { type: 'string' as const } },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' as const, example: 1 } },
};

/** Writes into every operation what can be derived: what ids in its path are, what its answers say and which headers they carry. */
export function describeAnswers(document: OpenAPIObject): void {
  document.components = { ...document.components, headers: { ...document.components?.headers, ...HEADERS } };
  for (const { operation } of operationsOf(document)) {
    describeIds(operation);
    for (const [status, response] of Object.entries(operation.responses)) {
      if (response && !('$ref' in response)) describeAnswer(status, response);
    }
  }
}

function describeIds(operation: Operation): void {
  for (const parameter of operation.parameters ?? []) {
    if ('$ref' in parameter || parameter.in !== 'path' || !parameter.name.endsWith('Id')) continue;
    const what = parameter.name.slice(0, -2).replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    parameter.description ??= `Id of the ${what}.`;
    parameter.schema = { type: 'string', format: 'uuid' };
  }
}

const SAYS: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Created; its path is in `Location`.',
  202: 'Accepted; it goes on in the background.',
  204: 'Done; there is nothing to say.',
};

function describeAnswer(status: string, response: Response): void {
  if (response.description === '') response.description = SAYS[status] ?? '';
  const names = status < '300' ? ['X-Request-Id', 'Server-Timing'] : [];
  if (status === '201') names.push('Location');
  if (status === '429' || status === '503') names.push('Retry-After');
  const common = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  response.headers = { ...Object.fromEntries(common), ...response.headers };
}
