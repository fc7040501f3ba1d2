export { FORMULA_FUNCTIONS, FORMULA_OPERATORS } from './functions/index.js';
export { checkFormula, type CheckedFormula, type FormulaScope } from './check.js';
export { completeFormula, type Completion } from './complete.js';
export { evaluateFormula } from './evaluate.js';
export {
  columnsOf,
  expressionOf,
  isVolatile,
  type CallPart,
  type ColumnPart,
  type Expression,
  type LiteralPart,
} from './expression.js';
export { FLAW_CODES, type FlawCode, type FormulaFlaw } from './flaw.js';
export type { FormulaFunction } from './function.js';
export { mapReferences, referencesOf } from './references.js';
