import type { ChangeLog } from '../../../engines/index.js';

export type { Change, StreamHead } from '../../../engines/index.js';

/** What the live feed needs of the change log. */
export type LogReader = Pick<ChangeLog, 'heads' | 'follow'>;
