import { Problem } from './errors/index.js';
import type { Page } from './id-page.js';
import type { PageQuery } from './paging.dto.js';

const encode = (place: number): string => Buffer.from(`after ${place}`).toString('base64url');

/**
 * One page of a short list that is there as a whole, and whose items have nothing to be found by: the cursor counts.
 * @throws Problem `cursor_invalid`
 */
export function countedPage<T>(all: readonly T[], { limit, cursor }: PageQuery): Page<T> {
  const begin = cursor === undefined ? 0 : placeOf(cursor);
  const end = begin + limit;
  return { data: all.slice(begin, end), page: { limit, ...(all.length > end ? { nextCursor: encode(end) } : {}) } };
}

function placeOf(cursor: string): number {
  const [, digits = ''] = /^after (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  const place = Number(digits);
  if (digits === '' || encode(place) !== cursor)
    throw new Problem('cursor_invalid', { detail: 'Take cursors from page.nextCursor as they are.' });
  return place;
}
