import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../common/index.js';
import { changedView, MAX_JSON, newView } from './view-input.js';

const TABLE = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';
const words = [
  ...[
    'name',
    'description',
    'visibility',
    'definition',
    'settings',
    'source',
    'table',
    'connection',
    'object',
    'as',
    'joins',
  ],
  ...[
    'type',
    'on',
    'left',
    'right',
    'computed',
    'key',
    'formula',
    'filter',
    'field',
    'op',
    'value',
    'and',
    'or',
    'not',
    'sort',
  ],
  ...['dir', 'columns', 'groupBy', 'bucket', 'aggregates', 'fn', 'having', '__proto__', 'constructor', 'toString'],
];
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, 1, -1, 0.5, '', 'name', 'inner', 'eq', 'sum', 'private', TABLE),
  fc.string(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words), tie('value'), { maxKeys: 4 }),
  ),
}));
/** Gets past the first looks. */
const bodies = fc
  .dictionary(fc.constantFrom(...words), value, { maxKeys: 5 })
  .map((definition) => ({ name: 'Open', definition: { ...definition, source: { table: TABLE } } }));

describe.each([
  ['newView', newView],
  ['changedView', changedView],
])('%s', (_name, read) => {
  it('takes any JSON, or refuses it as content with pointers into it, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.oneof(value, bodies), (input) => {
        try {
          read(input);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          expect(error.status).toBe(422);
          for (const { pointer } of error.errors ?? [])
            expect(pointer).toMatch(/^(\/(name|description|visibility|definition|[^/]*$).*)?$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('newView', () => {
  const definition = { source: { table: TABLE } };

  it('keeps the definition as it was sent', () => {
    const sent = { ...definition, columns: ['name', { field: 'qty', as: 'n' }], sort: [{ field: 'name' }] };
    expect(newView({ name: ' Open ', definition: sent })).toMatchObject({
      ...{ name: 'Open', description: null, visibility: 'workspace', definition: { json: sent } },
    });
  });

  it.each([
    ['a name of nothing', { name: ' ', definition }, '/name'],
    ['a description with NUL', { name: 'a', description: '\0', definition }, '/description'],
    ['half a character', { name: 'a', description: '\ud800', definition }, '/description'],
    ['a description that is too long', { name: 'a', description: 'x'.repeat(10_001), definition }, '/description'],
    ['what is no visibility', { name: 'a', visibility: 'public', definition }, '/visibility'],
    ['no definition', { name: 'a' }, '/definition'],
    ['what nobody knows', { name: 'a', definition, id: 1 }, '/id'],
    [
      'a definition that is too long',
      { name: 'a', definition: { ...definition, as: 'x'.repeat(MAX_JSON) } },
      '/definition',
    ],
  ])('refuses %s', (_what, body, pointer) => {
    expect(() => newView(body)).toThrow(expect.objectContaining({ errors: [expect.objectContaining({ pointer })] }));
  });
});
