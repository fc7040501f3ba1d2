/**
 * Letters that have been of two cases only since Unicode 11 (2018) or later. Databases and Node.js know them or not, by how old they
 * are, so formulas leave them as they are. As a class of a regular expression, for JavaScript and PostgreSQL alike.
 */
export const NEWER_LETTERS =
  '[\u019b\u0264\u0282\u10d0-\u10fa\u10fd-\u10ff\u1c89\u1c8a\u1c90-\u1cba\u1cbd-\u1cbf\u1d8e\u2c2f\u2c5f\ua794\ua7b8-\ua7dc\ua7f5\ua7f6' +
  '\u{10570}-\u{105bc}\u{10d50}-\u{10d85}\u{16e40}-\u{16e7f}\u{16ea0}-\u{16ed3}]';

const NEWER = new RegExp(NEWER_LETTERS, 'u');

export const hasNewerLetters = (text: string): boolean => NEWER.test(text);

function changed(text: string, change: (text: string) => string): string {
  if (!NEWER.test(text)) return change(text);
  return [...text].map((letter) => (NEWER.test(letter) ? letter : change(letter))).join('');
}

export const capitals = (text: string): string => changed(text, (part) => part.toUpperCase());
export const smallLetters = (text: string): string => changed(text, (part) => part.toLowerCase());

/** The form under which texts match whatever their letter case; both small sigmas are one. */
export const alike = (text: string): string => smallLetters(text).replaceAll('ς', 'σ');
