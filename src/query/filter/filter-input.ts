import type { ProblemItem } from '../../common/index.js';
import { Problem } from '../../common/index.js';
import type { Quantifier } from '../plan.js';

/** A filter as a caller wrote it, in either syntax: names not yet looked up, values not yet typed. */
export type FilterInput =
  | { readonly kind: 'and' | 'or'; readonly items: readonly FilterInput[]; readonly pointer: string }
  | { readonly kind: 'not'; readonly item: FilterInput; readonly pointer: string }
  | {
      readonly kind: 'leaf';
      readonly field: string;
      /** Leads to a value inside a JSON cell; the operand is `json`, `column` or `none` then, in both syntaxes. */
      readonly path?: readonly string[];
      readonly op: string;
      readonly operand: OperandInput;
      readonly pointer: string;
      /** Only the JSON form has members to point at. */
      readonly syntax: 'json' | 'text';
    }
  | {
      /** Something about the rows that a link leads to. */
      readonly kind: 'link';
      readonly field: string;
      readonly quantifier: Quantifier;
      readonly where: FilterInput;
      readonly pointer: string;
    };

/** The right side of a leaf. `text` values come from URLs and are read by the column type's text form. */
export type OperandInput =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'texts'; readonly values: readonly string[] }
  | { readonly kind: 'column'; readonly field: string };

/** Depth counts and, or, not and links. */
export const MAX_DEPTH = 6;
export const MAX_LEAVES = 100;
export const MAX_LIST = 1000;
/** Values of all lists together. */
export const MAX_VALUES = 10_000;
export const MAX_PATH = 10;
export const MAX_PATH_PART = 255;

/** 422: the filter is understood but cannot be obeyed, so it is refused; it is never dropped or widened. */
export function filterInvalid(item: ProblemItem): Problem {
  return new Problem('filter_invalid', { detail: item.detail, errors: [item] });
}

/** Counts what both parsers must bound before anything recursive happens. */
export class FilterBudget {
  private leaves = 0;
  private values = 0;

  enter(depth: number, pointer: string): void {
    if (depth > MAX_DEPTH)
      throw filterInvalid({
        pointer,
        code: 'too_deep',
        detail: `A filter nests at most ${MAX_DEPTH} levels of and, or, not and links.`,
      });
  }

  leaf(pointer: string): void {
    if (++this.leaves > MAX_LEAVES)
      throw filterInvalid({
        pointer,
        code: 'too_many_conditions',
        detail: `A filter has at most ${MAX_LEAVES} conditions.`,
      });
  }

  list(length: number, pointer: string): void {
    this.values += length;
    if (this.values > MAX_VALUES)
      throw filterInvalid({
        pointer,
        code: 'too_many_values',
        detail: `The lists of a filter have at most ${MAX_VALUES} values in all.`,
      });
  }
}
