import { Problem, type ErrorCode } from '../../../common/index.js';

/** Whoever wanted an import out of an external database is told of these, and not made to wait for another try. */
const OF_SOURCES: ReadonlySet<ErrorCode> = new Set([
  'source_unreachable',
  'source_failed',
  'source_busy',
  'source_timeout',
]);

/** Whether what an import failed with may be otherwise the next time: a database of ours that is away, a structure that is being changed. */
export const mayPass = (error: unknown): boolean =>
  !(error instanceof Problem) || (error.status >= 500 && !OF_SOURCES.has(error.code)) || error.code === 'schema_busy';
