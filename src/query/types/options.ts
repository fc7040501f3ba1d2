import { refused, type Parsed } from './column-type.js';

/** Refuses options that the type does not know. */
export function knownOptions(
  input: Readonly<Record<string, unknown>>,
  known: readonly string[],
): Parsed<never> | undefined {
  const unknown = Object.keys(input).find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  return refused(
    'unknown_option',
    `Option ${JSON.stringify(unknown.slice(0, 60))} is not known; this type takes ${known.length ? known.join(', ') : 'no options'}.`,
  );
}
