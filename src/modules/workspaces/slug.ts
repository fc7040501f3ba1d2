import anyAscii from 'any-ascii';
import { randomInt } from 'node:crypto';

const MAX_STEM = 48;
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** `^[a-z0-9]+(-[a-z0-9]+)*$` from a display name, transliterated; `workspace` when nothing is left of it. */
export function slugOf(name: string): string {
  const ascii = anyAscii(name.normalize('NFKC'))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  return ascii.replace(/^-+/, '').slice(0, MAX_STEM).replace(/-+$/, '') || 'workspace';
}

/** The slugs to try, best first: the plain one, then with a random end that grows until it is free. */
export function* slugCandidates(name: string): Generator<string, never> {
  const stem = slugOf(name);
  yield stem;
  for (let length = 4; ; length++) yield `${stem}-${randomEnd(length)}`;
}

const randomEnd = (length: number): string =>
  Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
