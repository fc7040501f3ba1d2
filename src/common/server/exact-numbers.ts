/** A number of a JSON text that cannot be held as it was written. */
export interface InexactNumber {
  readonly token: string;
  /** Path of member names and indexes that leads to it. */
  readonly path: readonly (string | number)[];
}

/** Up to 15 digits any double gives back as they were; a long negative exponent may end at zero. */
const SUSPICIOUS = /[\d.]{16,}|\d[eE]-?\d{3}/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * The first number with a fraction or an exponent that JSON.parse rounds: it is a double afterwards, and nobody can tell
 * what it was. Whole numbers are not looked at: from 2^53 on they are seen to be unsafe after parsing too.
 * `text` has to be valid JSON.
 */
export function inexactNumber(text: string): InexactNumber | undefined {
  if (!SUSPICIOUS.test(text)) return undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') at = endOfString(text, at);
    if (char !== '-' && (char < '0' || char > '9')) continue;
    NUMBER.lastIndex = at;
    const token = NUMBER.exec(text)?.[0] ?? char;
    if (!isExact(token)) return { token, path: pathTo(text, at, token) };
    at += token.length - 1;
  }
  return undefined;
}

/** Index of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charAt(at - 1 - backslashes) === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function isExact(token: string): boolean {
  if (/^-?\d+$/.test(token)) return true;
  const value = Number(token);
  // What overflows is no number any more; whoever takes a number refuses it.
  return !Number.isFinite(value) || digitsOf(token) === digitsOf(String(value));
}

/** Whether this number of a JSON text is the same one after it was parsed. */
export function isExactNumber(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && digitsOf(token) === digitsOf(String(value));
}

/** Significant digits and the power of ten of the last one: the same for texts that mean the same number. */
function digitsOf(token: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Where it is, found by putting something else in its place: nothing but a parser knows. */
function pathTo(text: string, at: number, token: string): readonly (string | number)[] {
  const mark = `\0${at}`;
  const marked: unknown = JSON.parse(text.slice(0, at) + JSON.stringify(mark) + text.slice(at + token.length));
  const find = (value: unknown, path: readonly (string | number)[]): readonly (string | number)[] | undefined => {
    if (value === mark) return path;
    if (typeof value !== 'object' || value === null) return undefined;
    for (const [key, member] of Object.entries(value)) {
      const found = find(member, [...path, key]);
      if (found) return found;
    }
    return undefined;
  };
  return find(marked, []) ?? [];
}
