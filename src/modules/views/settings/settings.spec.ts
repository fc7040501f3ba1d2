import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../common/index.js';
import { parseJsonFilter, refuse } from '../../../query/index.js';
import { LAYOUT_TYPES, parseSettings, type Shown } from './index.js';

const shown: Shown = {
  key(input, at) {
    if (input === 'name') return input;
    throw refuse(at, 'unknown_field', 'There is no such column.');
  },
  keyOf: (_types, input, at) => shown.key(input, at),
  filter: (input, at) => void parseJsonFilter(input, at),
};

const words = [
  ...[
    'layout',
    'type',
    'columns',
    'key',
    'width',
    'hidden',
    'pinned',
    'colorBy',
    'conditions',
    'filter',
    'color',
    'field',
  ],
  ...['stackBy', 'cover', 'cardFields', 'start', 'end', 'title', 'coverFit', '__proto__', 'constructor', 'toString'],
];
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, 1, -1, 0.5, Number.MAX_VALUE, '', 'name', '#ffcc00', 'left', ...LAYOUT_TYPES),
  fc.string(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words), tie('value'), { maxKeys: 4 }),
  ),
}));
/** Gets past the first looks. */
const layouts = fc
  .tuple(fc.constantFrom(...LAYOUT_TYPES), fc.dictionary(fc.constantFrom(...words), value, { maxKeys: 5 }))
  .map(([type, rest]) => ({ layout: { ...rest, type } }));

describe('parseSettings', () => {
  it('takes any JSON, or refuses it as content with pointers into it, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.oneof(value, layouts), (input) => {
        try {
          expect(parseSettings(input, '/settings', shown)).toBe(input);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          expect(error.status).toBe(422);
          for (const { pointer } of error.errors ?? []) expect(pointer).toMatch(/^\/settings/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(LAYOUT_TYPES)('%s: refuses what is not known', (type) => {
    expect(() => parseSettings({ layout: { type, unknown: 1 } }, '', shown)).toThrow('not known here');
  });
});
