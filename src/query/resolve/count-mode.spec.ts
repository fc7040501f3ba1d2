import { expect, it } from '@jest/globals';
import { column, table } from '../../../test/query/index.js';
import type { Condition } from '../plan.js';
import type { LinkRef, TableSchema } from '../schema.js';
import { countMode, TRUE } from './resolve-read.js';

const whole = table([column('name', 'text')]);
const part: TableSchema = { ...whole, seen: { whole } };

const behind = (target: TableSchema, where: Condition = TRUE): Condition => {
  const link: LinkRef = {
    target,
    through: 'pairs',
    end: 'source',
    single: false,
    inverseSingle: false,
    inverseKey: 'back',
  };
  return { kind: 'linked', column: column('link', 'link'), link, quantifier: 'some', where };
};

it('is no estimate for whoever sees part of what is counted, be it behind links', () => {
  expect(countMode('estimated', [whole], TRUE)).toBe('estimated');
  expect(countMode('estimated', [whole], behind(whole))).toBe('estimated');
  expect(countMode('estimated', [part], TRUE)).toBe('bounded');
  expect(countMode('estimated', [whole], { kind: 'not', item: behind(part) })).toBe('bounded');
  expect(countMode('estimated', [whole], behind(whole, behind(part)))).toBe('bounded');
  expect(countMode('exact', [part], TRUE)).toBe('exact');
  expect(countMode('none', [part], TRUE)).toBe('none');
});
