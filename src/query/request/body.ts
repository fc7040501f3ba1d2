import { invalid, pointer, type Problem } from '../../common/index.js';

/*
 * Bodies of rows and queries are read by hand, not as DTO instances: their fields, filters and ops are named by the table and not by a
 * class, instantiating a thousand of them costs more than writing them, and class-transformer drops keys such as
 * "constructor" where we promise to refuse what we do not know.
 */

export const refuse = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);

/** The members of an object body. @throws Problem 422 when it is no object, or has a member that is not among `known` */
export function bodyOf(input: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw refuse(at, 'is_object', 'An object is expected.');
  const unknown = Object.keys(input).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw refuse(
      at + pointer(unknown.slice(0, 60)),
      'unknown_property',
      `Property ${JSON.stringify(unknown.slice(0, 60))} is not known here.`,
    );
  }
  return input as Readonly<Record<string, unknown>>;
}

/** The items of a list. @throws Problem 422 when it is no list, or whatever `item` throws */
export function listOf<T>(input: unknown, at: string, item: (value: unknown, at: string) => T): T[] {
  if (!Array.isArray(input)) throw refuse(at, 'is_array', 'A list is expected.');
  return input.map((value: unknown, i) => item(value, at + pointer(i)));
}
