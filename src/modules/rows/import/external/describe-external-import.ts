import { ApiProblems } from '../../../../common/index.js';

/** What the routes that import external rows have in common. */
export const TakesExternalRows = () =>
  ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'filter_invalid',
    'sort_invalid',
    'limit_reached',
    'not_supported_by_source',
    'host_not_allowed',
    'source_unreachable',
    'source_failed',
    'source_busy',
    'source_timeout',
  );
