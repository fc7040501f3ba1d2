import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { clientTypes } from '../../scripts/lib/client-types.mjs';
import { projectRoot } from '../../src/config/index.js';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');
const of = (schema: object) => clientTypes({ paths: {}, components: { schemas: { A: schema } } });

describe('the types of the client package', () => {
  it('are those of docs/openapi.json (npm run client:types)', () => {
    expect(read('client/src/openapi.ts')).toBe(clientTypes(JSON.parse(read('docs/openapi.json')) as never));
  });

  it.each([
    [{ type: 'array', items: { type: 'string', nullable: true } }, '(string | null)[]'],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, '(string | number)'],
    [{ enum: ['a', 'b'] }, "'a' | 'b'"],
    [
      {
        type: 'object',
        required: ['a'],
        properties: { a: { type: 'boolean' }, b: { $ref: '#/components/schemas/B' } },
      },
      "{ a: boolean; b?: Schemas['B'] }",
    ],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
  ])('are of %j: %s', (schema, type) => {
    expect(of(schema)).toContain(`  A: ${type};`);
  });

  it('are not made of a kind of schema that they do not know', () => {
    expect(() => of({ not: { type: 'string' } })).toThrow('No type is known for not');
  });
});
