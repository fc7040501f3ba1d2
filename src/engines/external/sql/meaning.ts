import type { ErrorCode } from '../../../common/index.js';
import type { Moment } from './session.js';

/** What a failure of a database means to our callers. */
export type Meaning = readonly [ErrorCode, string?];

const OF_CHANGES = /_violation$|^not_supported_by_source$/;

/** Who reads breaks no rule of a table (a view divides by zero), and who is signed in has reached the server. */
export const isSaidOf = (during: Moment, code: ErrorCode): boolean =>
  during === 'signing in' || (code !== 'source_unreachable' && (during === 'changing' || !OF_CHANGES.test(code)));
