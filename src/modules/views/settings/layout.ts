import { listOf, refuse } from '../../../query/index.js';
import type { Shown } from './shown.js';

/** A way to lay out what a view shows: one file for each, listed in `index.ts`. */
export interface Layout {
  readonly type: string;
  /** Its members beside `type`. */
  readonly members: readonly string[];
  /** @throws Problem `validation_failed`, `filter_invalid` with pointers that begin with `at` */
  check(given: Given, at: string, shown: Shown): void;
}

export type Given = Readonly<Record<string, unknown>>;

/** A member that may be left out is looked at where it is there. */
export function optional(given: Given, name: string, at: string, check: (value: unknown, at: string) => unknown): void {
  if (given[name] !== undefined) check(given[name], `${at}/${name}`);
}

export const oneOf =
  (words: readonly string[]) =>
  (input: unknown, at: string): void => {
    if (typeof input !== 'string' || !words.includes(input))
      throw refuse(at, 'is_in', `One of ${words.join(', ')} is expected.`);
  };

export const between =
  (least: number, most: number) =>
  (input: unknown, at: string): void => {
    if (!Number.isInteger(input) || Number(input) < least || Number(input) > most)
      throw refuse(at, 'out_of_range', `A whole number from ${least} to ${most} is expected.`);
  };

export function yesOrNo(input: unknown, at: string): void {
  if (typeof input !== 'boolean') throw refuse(at, 'is_boolean', 'true or false is expected.');
}

/** At most `most` things. */
export const upTo =
  (most: number, item: (value: unknown, at: string) => unknown) =>
  (input: unknown, at: string): void => {
    if (Array.isArray(input) && input.length > most) throw refuse(at, 'too_many', `At most ${most} are allowed.`);
    listOf(input, at, item);
  };

/** Keys of columns, each once. */
export const keysOf =
  (shown: Shown) =>
  (input: unknown, at: string): void => {
    const seen = new Set<string>();
    upTo(MAX_KEYS, (value, place) => {
      once(seen, shown.key(value, place), place);
    })(input, at);
  };

/** @throws Problem `validation_failed` the key was there before */
export function once(seen: Set<string>, key: string, at: string): void {
  if (seen.has(key)) throw refuse(at, 'duplicate_key', `${key} occurs twice.`);
  seen.add(key);
}

export const MAX_KEYS = 250;
