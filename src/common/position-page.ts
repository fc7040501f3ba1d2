import { Problem } from './errors/index.js';
import type { Page } from './id-page.js';
import { isId, type Id } from './ids.js';

/** A place in a list that people put in order: by position, and by id where positions are equal. */
export interface Place {
  readonly position: number;
  readonly id: Id;
}

const BYTES = 8 + 16;

/** An opaque cursor that stands behind the place. */
function encode({ position, id }: Place): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeDoubleBE(position);
  bytes.write(id.replaceAll('-', ''), 8, 'hex');
  return bytes.toString('base64url');
}

/** The place of a cursor from {@link positionPage}. Anything else is a problem `cursor_invalid`. */
export function placeOfCursor(cursor: string): Place {
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.length === BYTES ? bytes.readDoubleBE() : NaN;
  const id = bytes.toString('hex', 8).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!Number.isFinite(position) || !isId(id) || encode({ position, id }) !== cursor)
    throw new Problem('cursor_invalid', { detail: 'Take cursors from page.nextCursor as they are.' });
  return { position, id };
}

/** The list answer for up to `limit + 1` things in order of their places; the one too many tells that there is a next page. */
export function positionPage<T extends Place>(found: readonly T[], limit: number): Page<T> {
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data, page: { limit, ...(found.length > limit && last ? { nextCursor: encode(last) } : {}) } };
}
