import { Problem } from '../../../../common/index.js';
import type { LogLimits } from '../../../../engines/index.js';

/** All of it is held in memory, and the rows are locked meanwhile. */
export const UNDONE_AT_ONCE: LogLimits = { entries: 20_000, bytes: 64 * 2 ** 20 };

export const tooMany = (): Problem =>
  new Problem('limit_reached', {
    detail: `At most ${UNDONE_AT_ONCE.entries} changes, of ${UNDONE_AT_ONCE.bytes / 2 ** 20} MiB, are undone at once.`,
  });
