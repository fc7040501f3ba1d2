import { foldCase } from '../../types/text.js';
import { literal, unsupported, type MongoExpression } from './document.js';

/** Longer patterns are refused by MongoDB. */
const MAX_PATTERN_BYTES = 16_000;

/** Above it no character has case. */
const LAST_CASED = 0x1ffff;

/** The one character that is two when case is ignored: capital I with a dot above. */
const DOTTED = 'İ';
const DOT = '\u0307';

let variants: ReadonlyMap<string, readonly string[]> | undefined;

/** Which characters a character stands for when case is ignored, where it is not itself alone. */
export function caseVariants(): ReadonlyMap<string, readonly string[]> {
  if (variants) return variants;
  const found = new Map<string, string[]>();
  for (let code = 0; code <= LAST_CASED; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    const folded = foldCase(character);
    if (folded !== character && character !== DOTTED)
      found.set(folded, [...(found.get(folded) ?? [folded]), character]);
  }
  return (variants = found);
}

/**
 * Whether the text has the part, as `foldCase` ignores case. MongoDB's own option to ignore case follows other rules, so
 * the pattern lists for each character all that fold to it. It is one pattern to PCRE and to JavaScript.
 */
export function textMatch(
  text: MongoExpression,
  mode: 'contains' | 'startsWith' | 'endsWith',
  part: string,
): MongoExpression {
  const regex = foldPattern(mode, part);
  if (Buffer.byteLength(regex) > MAX_PATTERN_BYTES)
    throw unsupported('The text to look for is too long for this source.');
  return { $regexMatch: { input: text, regex: literal(regex) } };
}

export function foldPattern(mode: 'contains' | 'startsWith' | 'endsWith', part: string): string {
  const characters = [...foldCase(part)];
  const pieces: string[] = [];
  for (let i = 0; i < characters.length; i++) {
    const [character = '', following] = [characters[i], characters[i + 1]];
    const [isFirst, isLast] = [i === 0, i === characters.length - 1];
    if (character === 'i' && following === DOT) {
      pieces.push(oneOf([`${one('i')}${DOT}`, DOTTED]));
      i++;
    } else if (character === 'i' && isLast && mode !== 'endsWith') pieces.push(oneOf([one('i'), DOTTED]));
    // The part begins in the middle of the character.
    else if (character === DOT && isFirst && mode !== 'startsWith') pieces.push(oneOf([DOT, DOTTED]));
    else pieces.push(one(character));
  }
  // `$` would also hold in front of a line break at the end.
  return `${mode === 'startsWith' ? '^' : ''}${pieces.join('')}${mode === 'endsWith' ? '(?![\\s\\S])' : ''}`;
}

function one(character: string): string {
  const known = caseVariants().get(character);
  return known ? oneOf(known) : escaped(character);
}

/** Not a class of characters, which to JavaScript has no place for characters of two units. */
const oneOf = (alternatives: readonly string[]): string => `(?:${alternatives.join('|')})`;

const escaped = (character: string): string => (/^[!-/:-@[-`{-~]$/.test(character) ? `\\${character}` : character);
