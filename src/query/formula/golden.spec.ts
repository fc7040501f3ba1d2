import { describe, expect, it } from '@jest/globals';
import { GOLDEN, GOLDEN_OF_NOTHING } from '../../../test/engines/formula-golden.js';
import { computed, expressionOf, FULL } from '../../../test/query/formulas.js';
import { FORMULA_FUNCTIONS } from './functions/index.js';

describe('formulas in memory', () => {
  it.each(GOLDEN)('%s gives %j', (formula, result) => expect(computed(expressionOf(formula), FULL)).toEqual(result));

  it.each(GOLDEN_OF_NOTHING)('of nothing, %s gives %j', (formula, result) =>
    expect(computed(expressionOf(formula), {})).toEqual(result),
  );

  it('are golden for every function', () => {
    const all = [...GOLDEN, ...GOLDEN_OF_NOTHING].map(([formula]) => formula).join(' ');
    expect(FORMULA_FUNCTIONS.filter(({ name }) => !all.includes(`${name}(`))).toEqual([]);
    expect(GOLDEN.length + GOLDEN_OF_NOTHING.length).toBeGreaterThanOrEqual(300);
  });
});
