/*
 * Rows as the JSON text that databases made of them, taken apart only as far as it has to be: what nobody computes with goes on
 * untouched, digit by digit.
 */

/** The members of a JSON object as text. `text` is the object, as one of our engines writes it: valid, without white space between. */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = 1;
  while (at < text.length - 1) {
    const colon = endOfString(text, at);
    const end = endOfValue(text, colon + 1);
    members.set(JSON.parse(text.slice(at, colon)) as string, text.slice(colon + 1, end));
    at = end + 1;
  }
  return members;
}

/** Behind the string that begins here. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new Error('a string without an end');
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** At the comma or brace behind the value that begins here. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const c = text[at];
    if (c === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (depth === 0 && (c === ',' || c === '}')) return at;
    if (c === '{' || c === '[') depth++;
    if (c === '}' || c === ']') depth--;
    at++;
  }
  return text.length;
}
