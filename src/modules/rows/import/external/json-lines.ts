/**
 * The texts of a list of JSON values, which stand with commas between them, each as a line. The values are not parsed: a number that
 * JavaScript would round stays what it is.
 */
export function jsonLines(values: string): string {
  let lines = '';
  let depth = 0;
  let begin = 0;
  for (let at = 0; at < values.length; at++) {
    const char = values[at];
    if (char === '"') at = endOfText(values, at);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === ',' && depth === 0) {
      lines += line(values.slice(begin, at));
      begin = at + 1;
    }
  }
  return begin < values.length ? lines + line(values.slice(begin)) : lines;
}

/** Where the text that begins at `at` ends. */
function endOfText(values: string, at: number): number {
  for (let i = at + 1; i < values.length; i++) {
    if (values[i] === '\\') i++;
    else if (values[i] === '"') return i;
  }
  return values.length;
}

/** Line breaks stand between tokens only; in a text JSON escapes them. */
const line = (value: string): string => `${value.replaceAll(/[\r\n]/g, ' ').trim()}\n`;
