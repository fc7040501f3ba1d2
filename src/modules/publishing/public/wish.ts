import { DEFAULT_LIMIT, invalid } from '../../../common/index.js';
import { isTimeBound, requestFromUrl, type ViewRequest } from '../../../query/index.js';
import { formatAccepted, type Format } from './formats.js';
import type { Visit } from './publication.js';
import type { PublicDataQuery } from './public-data-query.dto.js';

/** What is wanted of a publication. It may be kept: nothing of it leads to the publication. */
export interface Asked {
  readonly query: PublicDataQuery;
  /** No two that were asked have the same object. */
  readonly request: ViewRequest;
  readonly format: Format;
  /** All that decides what the answer is, besides the data. */
  readonly variant: string;
  /** Whether the answer changes as time passes. */
  readonly isTimeBound: boolean;
}

/** What a reader wants, so that two who want the same are known to. */
export interface Wish extends Asked {
  readonly visit: Visit;
}

/** @throws Problem 400, 422 */
export function wishOf(visit: Visit, query: PublicDataQuery, accept: string | undefined): Wish {
  return { visit, ...askedOf(visit, query, accept) };
}

/** @throws Problem 400, 422 */
export function askedOf({ publication, key, scope }: Visit, query: PublicDataQuery, accept: string | undefined): Asked {
  const { maxLimit, viewId, since, version, reader } = publication;
  const { filter, sort, cursor } = query;
  const limit = query.limit ?? Math.min(DEFAULT_LIMIT, maxLimit);
  if (limit > maxLimit)
    throw invalid([{ pointer: '/limit', code: 'max', detail: `limit is at most ${maxLimit} here.` }]);
  const format = query.format ?? formatAccepted(accept);
  const request = requestFromUrl({ filter, sort, cursor, limit });
  const filters = [request.filter, scope.filter].filter((each) => each !== undefined);
  return {
    query,
    request,
    format,
    variant: JSON.stringify([
      ...[viewId, since, version, key?.id ?? null, reader.timeZone],
      ...[filter ?? null, sort ?? null, cursor ?? null, limit, format],
    ]),
    isTimeBound: filters.some(isTimeBound),
  };
}
