import { Problem } from './errors/index.js';
import { isId, type Id } from './ids.js';
import type { PageDto } from './paging.dto.js';

/** One page of a list that is ordered by id. */
export interface Page<T> {
  readonly data: T[];
  readonly page: PageDto;
}

/** An opaque cursor that stands behind the given id. */
const encode = (id: Id): string => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

/** The id of a cursor from {@link idPage}. Anything else is a problem `cursor_invalid`. */
export function idOfCursor(cursor: string): Id {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!isId(id) || encode(id) !== cursor) {
    throw new Problem('cursor_invalid', { detail: 'Take cursors from page.nextCursor as they are.' });
  }
  return id;
}

/** The list answer for up to `limit + 1` things in id order; the one too many tells that there is a next page. */
export function idPage<T extends { readonly id: Id }>(found: readonly T[], limit: number): Page<T> {
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data, page: { limit, ...(found.length > limit && last ? { nextCursor: encode(last.id) } : {}) } };
}
