import { Problem } from '../../../common/index.js';
import type { ErrorCode } from '../../../common/index.js';

/** How a definition is refused that does not fit its sources. */
const MISFITS: ReadonlySet<ErrorCode> = new Set([
  'validation_failed',
  'filter_invalid',
  'sort_invalid',
  'formula_invalid',
]);

/** Whether the problem is one of those by which a definition or a request is refused. */
export const isMisfit = (error: unknown): error is Problem => error instanceof Problem && MISFITS.has(error.code);

/** The same findings as a conflict: nobody sent this definition now, it has been overtaken by changes of what it names. */
export const broken = ({ detail, errors }: Problem): Problem =>
  new Problem('view_broken', {
    ...(detail === undefined ? {} : { detail }),
    ...(errors ? { errors } : {}),
  });

/** The same for somebody who does not see all of a source: what the definition speaks of is not told. */
export const brokenInPart = (): Problem =>
  new Problem('view_broken', {
    detail: 'The view speaks of something that is not there, or that rules keep you from.',
  });
