import { Problem, type ErrorCode } from '../../../common/index.js';

/** What is said of the request alone, in words that hold nothing but the request and what is declared. */
const OF_THE_REQUEST: ReadonlySet<ErrorCode> = new Set([
  'validation_failed',
  'filter_invalid',
  'sort_invalid',
  'invalid_syntax',
  'cursor_invalid',
  'cursor_mismatch',
]);

/** Where pointers to what was published begin: they are of nothing that the reader asked. */
export const DEFINITION = '/definition';

export const misfit = (cause?: unknown): Problem =>
  new Problem('view_broken', {
    detail: 'What is published does not fit its sources any more. Whoever published it has to publish it anew.',
    cause,
  });

/**
 * A refusal as strangers may read it: names of sources, connections and hidden columns stand in none. What is not about the request is told by
 * its code alone.
 */
export function forStrangers(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const { code, errors, headers } = error;
  if (code === 'view_broken' || code === 'not_found') return misfit(error);
  if (OF_THE_REQUEST.has(code))
    return errors?.some(({ pointer }) => pointer.startsWith(DEFINITION)) ? misfit(error) : error;
  return new Problem(code, { cause: error, ...(headers ? { headers } : {}) });
}
