import type { ProblemItem } from '../errors/index.js';
import { pointer } from './pointer.js';
import { MAX_FINDINGS } from './unknown-members.js';

/** What of a request a handler takes: everything (a DTO, which refuses what it does not know) or the named keys only. */
export type Taken = 'all' | ReadonlySet<string>;

/** Findings for the keys that are not taken. @param why the rest of the sentence that begins with the key */
export function unknownKeys(given: object, taken: Taken, why: string): ProblemItem[] {
  const items: ProblemItem[] = [];
  for (const key in given) {
    if (isTaken(key, taken)) continue;
    if (items.length === MAX_FINDINGS) break;
    items.push({ pointer: pointer(key.slice(0, 64)), code: 'unknown_property', detail: `${key.slice(0, 64)} ${why}.` });
  }
  return items;
}

/** The same for the query string. */
export const unknownParameters = (query: object, taken: Taken): ProblemItem[] =>
  unknownKeys(query, taken, 'is not a query parameter of this route');

/** class-transformer silently drops what every object inherits, `constructor` or `toString`, so that no validator sees it. */
const isTaken = (key: string, taken: Taken): boolean => (taken === 'all' ? !(key in Object.prototype) : taken.has(key));
