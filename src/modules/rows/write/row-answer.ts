import { Answer, JsonText, type AnswerOptions, type DatabaseWork } from '../../../common/index.js';
import type { OpResult, WriteResult } from '../../../engines/index.js';
import { MINIMAL, type Manner } from './manner.js';

/** The row as it is now, with its version and the number of the change; without the row where that is wished, or the caller does not see it any more. */
export function rowAnswer(
  { json, version }: OpResult,
  { seq }: WriteResult,
  { minimal }: Manner,
  { headers, ...options }: AnswerOptions,
  work: DatabaseWork = {},
): Answer {
  const all: AnswerOptions = {
    ...(minimal || json === undefined ? { status: 204 } : {}),
    ...options,
    headers: { ...headers, etag: `"${version ?? ''}"`, 'live-seq': String(seq), ...(minimal ? MINIMAL : {}) },
    committed: true,
    ...work,
  };
  return minimal || json === undefined ? new Answer(undefined, all) : new JsonText(json, all);
}
