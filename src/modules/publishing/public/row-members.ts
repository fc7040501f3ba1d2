/**
 * Rows of JSON text, taken apart and put together without being parsed: numbers stay the digits that the database wrote, which JavaScript's own
 * cannot always hold.
 */

const FIELDS = '{"fields":';
const GROUP = '{"group":{';
/** Cannot stand inside of a text, whose quotes are escaped, and no cell of a group is an object. */
const VALUES = '},"values":{';

/** A row of a view, `{"fields":{…}}` or `{"group":{…},"values":{…}}`, as one object with all of its cells. */
export function flat(row: string): string {
  if (row.startsWith(FIELDS)) return row.slice(FIELDS.length, -1);
  const at = row.indexOf(VALUES);
  if (!row.startsWith(GROUP) || at < 0) throw new Error('a row of a view has fields, or a group and values');
  const cells = [row.slice(GROUP.length, at), row.slice(at + VALUES.length, -2)].filter((part) => part !== '');
  return `{${cells.join(',')}}`;
}

/** The members of an object, as the JSON texts of their values. The text has to be valid JSON. */
export function membersOf(object: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = next(object, 1);
  while (object.charAt(at) === '"') {
    const name = endOfText(object, at);
    const start = next(object, next(object, name) + 1);
    const end = endOfValue(object, start);
    members.set(JSON.parse(object.slice(at, name)) as string, object.slice(start, end));
    at = next(object, next(object, end) + 1);
  }
  return members;
}

/** Past white space. */
function next(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

/** Behind the quote that closes the text which opens at `start`. */
function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const char = text.charAt(at);
    if (depth === 0 && at > start && /[,}\]\s]/.test(char)) return at;
    if (char === '"') {
      at = endOfText(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (char === '{' || char === '[') depth++;
    if ((char === '}' || char === ']') && --depth === 0) return at + 1;
    at++;
  }
  return text.length;
}
