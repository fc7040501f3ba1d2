import { Answer, JsonText, must, type AnswerOptions } from '../../../common/index.js';
import type { OpResult, WriteResult } from '../../../engines/index.js';
import { MINIMAL, type Manner } from './manner.js';

/** The row as it is now, with its version and the number of the change; without the row where that is wished. */
export function rowAnswer(
  { json, version }: OpResult,
  { seq }: WriteResult,
  { minimal }: Manner,
  { headers, ...options }: AnswerOptions,
  databaseMs?: number,
): Answer {
  const all: AnswerOptions = {
    ...(minimal ? { status: 204 } : {}),
    ...options,
    headers: { ...headers, etag: `"${version ?? ''}"`, 'live-seq': String(seq), ...(minimal ? MINIMAL : {}) },
    committed: true,
    ...(databaseMs === undefined ? {} : { databaseMs }),
  };
  return minimal ? new Answer(undefined, all) : new JsonText(must(json, 'a written row has its text'), all);
}
