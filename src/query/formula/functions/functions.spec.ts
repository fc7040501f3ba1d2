import { describe, expect, it } from '@jest/globals';
import { checkFormula } from '../check.js';
import { evaluateFormula } from '../evaluate.js';
import { sampleCell, sampleScope } from '../sample.js';
import { FORMULA_FUNCTIONS, FORMULA_OPERATORS } from './index.js';

const ALL = [...FORMULA_FUNCTIONS, ...FORMULA_OPERATORS];
const examples = ALL.flatMap(({ name, examples: of }) =>
  of.map(([formula, result]) => [name, formula, result] as const),
);

describe('the functions of formulas', () => {
  it('are sixty at least, each under one name', () => {
    expect(FORMULA_FUNCTIONS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });

  it.each(examples)('%s: the example %s gives %j', (_, formula, result) => {
    const checked = checkFormula(formula, sampleScope);
    expect(checked).toMatchObject({ ok: true });
    if (checked.ok) expect(evaluateFormula(checked.expression, sampleCell, { now: new Date() })).toEqual(result);
  });
});
