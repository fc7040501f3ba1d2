import { decimalOf, LIMIT, MAX_SCALE, magnitude, plain, tens, trimmed } from './decimal.js';
import { shown, spanOf, stop, type Span } from './flaw.js';

/** The parts of a text that mean something. */
export type Token =
  | { readonly is: 'number' | 'text' | 'reference' | 'word'; readonly text: string; readonly at: Span }
  | { readonly is: 'sign'; readonly text: string; readonly at: Span }
  | { readonly is: 'end'; readonly text: ''; readonly at: Span };

const BLANKS = /[\s\ufeff]+/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}_][\p{L}\p{N}_.]*/uy;
const SIGN = /<=|>=|<>|!=|[-+*/%^&=<>(),]/y;

/** What people write who know other languages, and what it is here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['==', 'Equality is written with one sign: =.'],
  ['&&', 'Write AND(a, b).'],
  ['||', 'Write OR(a, b), or a & b to join texts.'],
  ['!', 'Write NOT(a), or a != b.'],
  [';', 'Arguments are separated by commas.'],
  ['“', 'Texts stand between straight quotes, " or \'.'],
  ['”', 'Texts stand between straight quotes, " or \'.'],
  ['„', 'Texts stand between straight quotes, " or \'.'],
  ['‘', 'Texts stand between straight quotes, " or \'.'],
  ['’', 'Texts stand between straight quotes, " or \'.'],
  ['−', 'Minus is the sign -.'],
  ['×', 'Multiplication is written *.'],
  ['÷', 'Division is written /.'],
  ['[', 'Columns are written {name}.'],
  ['}', 'There is no { before it.'],
]);

/** Takes the text apart; throws the first flaw. */
export function* tokens(text: string): Generator<Token, void> {
  let position = 0;
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    position += read(BLANKS)?.length ?? 0;
    if (position >= text.length) break;
    const token = next(text, position, read);
    position = token.at.position + token.at.length;
    yield token;
  }
  yield { is: 'end', text: '', at: spanOf(text.length, text.length) };
}

function next(text: string, position: number, read: (pattern: RegExp) => string | undefined): Token {
  const first = text.charAt(position);
  if (first === '"' || first === "'") return quoted(text, position, first);
  if (first === '{') return reference(text, position);
  const number = read(NUMBER);
  if (number !== undefined) return numberToken(text, number, position);
  const word = read(WORD);
  if (word !== undefined) return { is: 'word', text: word, at: spanOf(position, position + word.length) };
  const pair = text.slice(position, position + 2);
  const two = ELSEWHERE.get(pair);
  if (two !== undefined && pair.length === 2) stop('unexpected_character', spanOf(position, position + 2), two);
  const sign = read(SIGN);
  if (sign !== undefined) return { is: 'sign', text: sign, at: spanOf(position, position + sign.length) };
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
  const detail = ELSEWHERE.get(character) ?? `${shown(character.toWellFormed())} means nothing here.`;
  return stop('unexpected_character', spanOf(position, position + character.length), detail);
}

function numberToken(text: string, given: string, position: number): Token {
  const behind = /[\p{L}\p{N}_]+/uy;
  behind.lastIndex = position + given.length;
  const more = behind.exec(text)?.[0] ?? '';
  const at = spanOf(position, position + given.length + more.length);
  if (more !== '') stop('invalid_number', at, `${shown(given + more)} is no number.`);
  const number = decimalOf(given);
  const value = number && trimmed(number);
  if (!value || value.scale > MAX_SCALE || magnitude(value.digits) >= LIMIT * tens(value.scale))
    return stop('invalid_number', at, `Numbers have at most 38 digits before the point and ${MAX_SCALE} behind it.`);
  // As many digits behind the point as were written, for they show in results.
  return { is: 'number', text: number.scale > MAX_SCALE ? plain(value) : plain(number), at };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['"', '"'],
  ["'", "'"],
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);
const UNICODE = /u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/y;

function quoted(text: string, position: number, quote: string): Token {
  let content = '';
  let i = position + 1;
  for (;;) {
    const character = text.charAt(i);
    if (character === '') stop('unterminated_text', spanOf(position, text.length), `This text has no ${quote} at its end.`, quote); // prettier-ignore
    if (character === quote) break;
    if (character !== '\\') {
      content += character;
      i++;
      continue;
    }
    const [meant, length] = escaped(text, i);
    content += meant;
    i += length;
  }
  const at = spanOf(position, i + 1);
  if (content.includes('\0') || !content.isWellFormed())
    stop('invalid_text', at, 'Texts cannot hold NUL characters or half of a surrogate pair.');
  return { is: 'text', text: content.normalize('NFC'), at };
}

function escaped(text: string, position: number): readonly [string, number] {
  const simple = ESCAPES.get(text.charAt(position + 1));
  if (simple !== undefined) return [simple, 2];
  UNICODE.lastIndex = position + 1;
  const [written, short, long] = UNICODE.exec(text) ?? [];
  const code = parseInt(short ?? long ?? 'x', 16);
  if (written !== undefined && code <= 0x10ffff) {
    return [short === undefined ? String.fromCodePoint(code) : String.fromCharCode(code), written.length + 1];
  }
  const end = position + 1 + String.fromCodePoint(text.codePointAt(position + 1) ?? 0x20).length;
  return stop(
    'invalid_escape',
    spanOf(position, Math.min(end, text.length)),
    'Behind a backslash may stand \\ " \' n t r uXXXX or u{…}; a backslash itself is written \\\\.',
  );
}

/** `{name}`, in which `\}` and `\\` stand for the signs themselves. */
function reference(text: string, position: number): Token {
  const end = endOfReference(text, position);
  const at = spanOf(position, end ?? text.length);
  if (end === undefined) stop('unterminated_reference', at, 'This column has no } at its end.', '}');
  const name = unescapedName(text.slice(position + 1, end - 1));
  if (name.trim() === '') stop('empty_reference', at, 'Between { and } stands the name of a column.');
  return { is: 'reference', text: name, at };
}

/** Where the reference that begins there ends, behind its `}`. */
export function endOfReference(text: string, position: number): number | undefined {
  for (let i = position + 1; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '\\' && /[\\}]/.test(text.charAt(i + 1))) i++;
    else if (character === '}') return i + 1;
  }
  return undefined;
}

export const unescapedName = (written: string): string => written.replaceAll(/\\([\\}])/g, '$1');
/** As it stands between `{` and `}`. */
export const escapedName = (name: string): string => name.replaceAll(/[\\}]/g, '\\$&');
