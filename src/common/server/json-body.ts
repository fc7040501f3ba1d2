import { isUtf8 } from 'node:buffer';
import { invalid, Problem } from '../errors/index.js';
import { pointer } from '../pipes/index.js';
import { inexactNumber } from './exact-numbers.js';

/** Deeper than any body of this API needs, and far from what recursive code below could not bear. */
export const MAX_DEPTH = 64;

/**
 * A request body as JSON (RFC 8259, hence UTF-8). No bytes at all are no body.
 * Throws `malformed_json` for what does not parse, for invalid UTF-8, for a `__proto__` key and for nesting past {@link MAX_DEPTH},
 * `validation_failed` for a number that would be rounded.
 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  // Decoding would put U+FFFD in the place of broken bytes and so change data silently.
  if (!isUtf8(bytes)) throw malformed('The body is not valid UTF-8.');
  const text = bytes.toString('utf8');
  const value = parse(text);
  refuseHostile(value, 0);
  refuseInexact(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the body, and that may hold a password: only the position is told.
    const position = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined;
    throw malformed(
      position === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON at character ${position}.`,
    );
  }
}

/** `__proto__` becomes an own key in JSON.parse, but the prototype itself in the first careless copy after it. */
function refuseHostile(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') refuseHostile(item, depth + 1);
    return;
  }
  if (Object.hasOwn(value, '__proto__')) throw malformed('The key "__proto__" is not allowed.');
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    // Most are none: a bulk call has ten thousand of them.
    if (typeof member === 'object') refuseHostile(member, depth + 1);
  }
}

/** Values are kept exactly or refused, never rounded. */
function refuseInexact(text: string): void {
  const inexact = inexactNumber(text);
  if (!inexact) return;
  const detail = `${inexact.token.slice(0, 60)} has more digits than a JSON number can keep; send a decimal as a string.`;
  throw invalid([{ pointer: pointer(...inexact.path), code: 'number_not_exact', detail }]);
}

const malformed = (detail: string): Problem => new Problem('malformed_json', { detail });
