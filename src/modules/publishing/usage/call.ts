import type { Id } from '../../../common/index.js';

/** What came of one call. */
export interface Call {
  readonly viewId: Id;
  readonly slug: string;
  readonly apiVersion: number;
  /** Undefined where no key was needed, or none was valid. */
  readonly keyId: Id | undefined;
  readonly status: number;
  readonly isCached: boolean;
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
  /** It went on for as long as the reader wished: how long says nothing. */
  readonly isStream: boolean;
}
