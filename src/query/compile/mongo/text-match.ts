import { casePattern, type MatchMode } from '../../case-pattern.js';
import { literal, unsupported, type MongoExpression } from './document.js';

/** Longer patterns are refused by MongoDB. */
const MAX_PATTERN_BYTES = 16_000;

/** Whether the text has the part, whatever the letter case. MongoDB's own option to ignore case follows other rules. */
export function textMatch(text: MongoExpression, mode: MatchMode, part: string): MongoExpression {
  const regex = casePattern(part, mode);
  if (Buffer.byteLength(regex) > MAX_PATTERN_BYTES)
    throw unsupported('The text to look for is too long for this source.');
  return { $regexMatch: { input: text, regex: literal(regex) } };
}
