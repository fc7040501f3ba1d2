import { DEFAULT_LIMIT, MAX_LIMIT } from '../../common/index.js';
import { parseJsonFilter } from '../filter/json-filter.js';
import { COUNT_MODES, type CountMode } from '../plan.js';
import type { ReadRequest, SortInput } from '../resolve/resolve-read.js';
import { isTimeZone } from '../time-zone.js';
import { bodyOf, listOf, refuse } from './body.js';

/** What rows and groups are asked for alike: which of them, in which order, and which page. */
export function pagedBy(
  body: Readonly<Record<string, unknown>>,
): Pick<ReadRequest, 'filter' | 'sort' | 'limit' | 'cursor' | 'count'> {
  const page = body.page === undefined ? {} : bodyOf(body.page, '/page', ['limit', 'cursor']);
  const { filter } = body;
  // Whoever follows cursors in a loop has none at first.
  const { cursor = null } = page;
  if (cursor !== null && typeof cursor !== 'string') throw refuse('/page/cursor', 'is_string', 'cursor is a text.');
  return {
    ...(filter === undefined || filter === null ? {} : { filter: parseJsonFilter(filter, '/filter') }),
    sort: body.sort === undefined ? [] : listOf(body.sort, '/sort', sortEntry),
    limit: limitOf(page.limit),
    ...(cursor === null ? {} : { cursor }),
    count: countOf(body.count),
  };
}

/** The key of a column. @throws Problem 422 when it is no text */
export function columnKey(item: unknown, at: string): string {
  if (typeof item !== 'string') throw refuse(at, 'is_string', 'A column key is expected.');
  return item;
}

/** An IANA time zone. @throws Problem 422 when there is none of this name */
export function timeZone(tz: unknown): string {
  if (typeof tz !== 'string' || !isTimeZone(tz))
    throw refuse('/tz', 'unknown_time_zone', 'tz is a name of the IANA time zone database, such as Europe/Berlin.');
  return tz;
}

export function sortEntry(item: unknown, at: string): SortInput {
  const { field, dir = 'asc' } = bodyOf(item, at, ['field', 'dir']);
  if (dir !== 'asc' && dir !== 'desc') throw refuse(`${at}/dir`, 'is_in', 'dir is asc or desc.');
  return { field: columnKey(field, `${at}/field`), dir };
}

function limitOf(limit: unknown): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)
    throw refuse('/page/limit', 'min', 'limit is a whole number from 1.');
  return Math.min(limit, MAX_LIMIT);
}

function countOf(count: unknown): CountMode {
  if (count === undefined) return 'none';
  const mode = COUNT_MODES.find((known) => known === count);
  if (!mode) throw refuse('/count', 'is_in', `count is one of ${COUNT_MODES.join(', ')}.`);
  return mode;
}
