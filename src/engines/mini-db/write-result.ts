import type { Id } from '../../common/index.js';

/** How one op of a write ended, with the row's JSON text as it is now. */
export interface OpResult {
  readonly status: 'ok' | 'unchanged' | 'not_found' | 'version_mismatch';
  readonly id: Id;
  readonly version?: number;
  readonly json?: string;
}

export interface WriteResult {
  readonly epoch: string;
  /** The number that this write took, or where the stream stood if nothing changed. */
  readonly seq: number;
  readonly ops: readonly OpResult[];
}
