import { isExactNumber } from '../../../common/index.js';

/** What tells where texts begin and end in a JSON text, and numbers, which may be inside of texts as well. */
const MARK_OR_NUMBER = /\\[^]|"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Escapes in a JSON text, those of a pair of surrogates together. */
const ESCAPE = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|[^])/g;
const HALF_A_PAIR = /^\\u[dD][89a-fA-F][\da-fA-F]{2}$/;

/** The fields of a row for those who parse them: numbers that a double would round are texts. `json` has to be valid. */
export function withExactNumbers(json: string): string {
  let inText = false;
  return json.replace(MARK_OR_NUMBER, (token) => {
    if (token === '"') inText = !inText;
    return inText || token === '"' || isExactNumber(token) ? token : `"${token}"`;
  });
}

/** Far more than the audit log keeps of an entry; what is longer is not looked through. */
const MAX_LOOKED_AT = 256 * 1024;

/**
 * The same for the audit log, which keeps neither NUL (told by its sign) nor half a pair of surrogates: rows of others may hold both. Of a
 * row that is much too long only its length, in characters.
 */
export const fieldsToKeep = (json: string): unknown =>
  json.length > MAX_LOOKED_AT
    ? { omitted: 'too_large', characters: json.length }
    : JSON.parse(withExactNumbers(json).replace(ESCAPE, keepable));

function keepable(escape: string): string {
  if (escape === String.raw`\u0000`) return '␀';
  return HALF_A_PAIR.test(escape) ? '\ufffd' : escape;
}
