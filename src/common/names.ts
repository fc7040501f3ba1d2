import anyAscii from 'any-ascii';

/**
 * Words that would surprise an operator who types a name without quotes: SQL reserved words (PostgreSQL manual, appendix C,
 * the "reserved" ones), the names that a row has beside its fields, and PostgreSQL's system columns (manual 5.6), which no
 * column may be named after.
 */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column ' +
    'concurrently constraint create cross current_catalog current_date current_role current_schema current_time ' +
    'current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from ' +
    'full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime ' +
    'localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning ' +
    'right select session_user similar some symmetric system_user table tablesample then to trailing true union unique user ' +
    'using variadic verbose when where window with and or not link constructor prototype ' +
    'tableoid xmin xmax cmin cmax ctid'
  ).split(' '),
);

const MAX_KEY = 48;

/**
 * A key from a display name: transliterated to `^[a-z][a-z0-9_]{0,47}$`; reserved words and keys already taken get a
 * number behind. The key is JSON key and physical name at once and never changes afterwards.
 */
export function deriveKey(name: string, taken: ReadonlySet<string> = new Set()): string {
  const ascii = anyAscii(name.normalize('NFKC'))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const stem = (/^[a-z]/.test(ascii) ? ascii : ascii ? `n_${ascii}` : 'unnamed').slice(0, MAX_KEY).replace(/_+$/, '');
  const free = (key: string): boolean => !taken.has(key) && !RESERVED.has(key);
  if (free(stem)) return stem;
  for (let n = 2; ; n++) {
    const suffix = `_${n}`;
    const key = stem.slice(0, MAX_KEY - suffix.length) + suffix;
    if (free(key)) return key;
  }
}

/** Something other than what nobody sees, such as U+200B: a name of that alone could not be told from another, nor clicked on. */
const VISIBLE = /[^\p{Default_Ignorable_Code_Point}\p{White_Space}]/u;

/** A name as it is kept: trimmed, NFC. Undefined when it is not 1 to 255 characters of well-formed text, one of them visible, without control characters. */
export function cleanName(input: unknown): string | undefined {
  if (typeof input !== 'string' || input.length > 2048 || !input.isWellFormed()) return undefined;
  const name = input.normalize('NFC').trim();
  const length = [...name].length;
  return length <= 255 && VISIBLE.test(name) && !/\p{Cc}/u.test(name) ? name : undefined;
}

/** The form under which two names count as the same: letter case and compatibility forms do not matter. */
export const foldName = (name: string): string => name.normalize('NFKC').toLowerCase();
