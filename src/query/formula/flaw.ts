/** What is wrong with a formula, and where: what `errors[]` of a refusal names. */
export interface FormulaFlaw {
  readonly code: FlawCode;
  readonly detail: string;
  /** UTF-16 code units from the beginning of the text, from 0. */
  readonly position: number;
  readonly length: number;
  /** What would fit instead, where that can be said in a few words. */
  readonly expected?: string;
}

export const FLAW_CODES = [
  'empty_formula', 'too_long', 'too_deep', 'too_many_nodes', 'too_complex',
  'unexpected_character', 'unterminated_text', 'invalid_escape', 'invalid_text', 'invalid_number', 'unterminated_reference',
  'empty_reference', 'unexpected_token', 'unexpected_end', 'bare_name', 'chained_comparison',
  'unknown_column', 'ambiguous_column', 'unknown_function', 'wrong_argument_count', 'wrong_type', 'mixed_types',
  'constant_expected', 'unknown_unit', 'unknown_time_zone', 'invalid_pattern', 'unusable_result',
] as const; // prettier-ignore
export type FlawCode = (typeof FLAW_CODES)[number];

/** Where something stands in the text of a formula, in UTF-16 code units. */
export interface Span {
  readonly position: number;
  readonly length: number;
}

export const spanOf = (position: number, end: number): Span => ({ position, length: end - position });
export const across = (from: Span, to: Span): Span => spanOf(from.position, to.position + to.length);

export const flaw = (code: FlawCode, at: Span, detail: string, expected?: string): FormulaFlaw => ({
  code,
  detail,
  position: at.position,
  length: at.length,
  ...(expected === undefined ? {} : { expected }),
});

/** At most so many flaws are named at once. */
export const MAX_FLAWS = 20;

/** A flaw behind which nothing more can be read. */
export class Flawed extends Error {
  constructor(readonly flaw: FormulaFlaw) {
    super(flaw.detail);
  }
}

export function stop(...args: Parameters<typeof flaw>): never {
  throw new Flawed(flaw(...args));
}

/** A word of the person's own, short enough to be shown back. */
export const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
