import { foldCase } from './types/text.js';

/** Where a part has to stand in a text. */
export type MatchMode = 'contains' | 'startsWith' | 'endsWith';

let forms: ReadonlyMap<string, readonly string[]> | undefined;

/** All characters that {@link foldCase} makes the same single character of, for each that has several; made once, in some 100 ms. */
function formsOf(): ReadonlyMap<string, readonly string[]> {
  if (forms) return forms;
  const found = new Map<string, string[]>();
  for (let code = 0x41; code <= LAST_CASED; code++) {
    const character = String.fromCodePoint(code);
    const folded = foldCase(character);
    if (folded === character) continue;
    const known = found.get(folded);
    if (known) known.push(character);
    else found.set(folded, [character]);
  }
  forms = found;
  return found;
}

/** Behind the last script with letter cases (Adlam); half of surrogate pairs are no characters, and fold to themselves. */
const LAST_CASED = 0x1e95f;
/** The one character that folds to two. */
const DOTTED_CAPITAL_I = '\u0130';
const [FIRST_HALF, SECOND_HALF] = ['i', '\u0307'] as const;
const ITS_FOLD = FIRST_HALF + SECOND_HALF;

/**
 * A regular expression for texts in which the part is found whatever the letter case, exactly as {@link foldCase} has it and whatever
 * the engine thinks of cases: every character is spelled out with all characters that fold to the same. It uses no more than
 * `(?:…|…)`, `\A` and an escaped character, which PCRE, ICU and PostgreSQL all read alike; `end` is how the end of a text is written.
 */
export function casePattern(part: string, mode: MatchMode, end = '\\z'): string {
  const folded = foldCase(part);
  let pattern = '';
  for (let i = 0; i < folded.length;) {
    if (folded.startsWith(ITS_FOLD, i)) {
      pattern += `(?:${DOTTED_CAPITAL_I}|${[...ITS_FOLD].map((half) => spelled(half)).join('')})`;
      i += ITS_FOLD.length;
      continue;
    }
    const character = String.fromCodePoint(folded.codePointAt(i) ?? 0);
    const next = i + character.length;
    // A text may begin or end within the one character that folds to two.
    const half =
      (character === FIRST_HALF && next === folded.length && mode !== 'endsWith') ||
      (character === SECOND_HALF && i === 0 && mode !== 'startsWith');
    pattern += spelled(character, half ? [DOTTED_CAPITAL_I] : []);
    i = next;
  }
  return `${mode === 'startsWith' ? '\\A' : ''}${pattern}${mode === 'endsWith' ? end : ''}`;
}

function spelled(character: string, more: readonly string[] = []): string {
  const others = [...(formsOf().get(character) ?? []), ...more];
  if (others.length === 0) return escaped(character);
  return `(?:${[character, ...others].map(escaped).join('|')})`;
}

/** Only signs of ASCII mean something; a letter behind a backslash would. */
const escaped = (character: string): string => (/^[ -/:-@[-`{-~]$/.test(character) ? `\\${character}` : character);
