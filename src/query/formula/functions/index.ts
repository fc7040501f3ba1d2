import type { FormulaFunction } from '../function.js';
import { COMPARISONS } from './comparisons.js';
import { DATES } from './date.js';
import { LIST_CONTAINS, LISTS } from './list.js';
import { LOGIC } from './logic.js';
import { NUMBERS } from './number.js';
import { OPERATORS } from './operators.js';
import { TEXTS } from './text.js';

/** A function that is there for texts and for lists. */
const withLists = (entry: FormulaFunction): FormulaFunction =>
  entry.name === 'CONTAINS' ? { ...entry, overloads: [...entry.overloads, ...LIST_CONTAINS] } : entry;

const ALL: readonly FormulaFunction[] = [
  ...LOGIC,
  ...NUMBERS,
  ...TEXTS.map(withLists),
  ...DATES,
  ...LISTS,
  ...OPERATORS,
  ...COMPARISONS,
];

/** The functions that people write by name. */
export const FORMULA_FUNCTIONS: readonly FormulaFunction[] = ALL.filter(({ category }) => category !== 'operator');
export const FORMULA_OPERATORS: readonly FormulaFunction[] = ALL.filter(({ category }) => category === 'operator');

const byName = new Map(ALL.map((entry) => [entry.name, entry]));

/** A function or operator by its name, in capitals. */
export const formulaFunction = (name: string): FormulaFunction | undefined => byName.get(name);
