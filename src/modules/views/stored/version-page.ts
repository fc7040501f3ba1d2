import { Problem } from '../../../common/index.js';
import type { ViewVersionItemDto, ViewVersionListDto } from '../view.dto.js';

const CURSOR = /^v([1-9]\d{0,8})$/;

/** @throws Problem `cursor_invalid` */
export function versionOfCursor(cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const version = CURSOR.exec(text)?.[1];
  if (version === undefined || encode(Number(version)) !== cursor)
    throw new Problem('cursor_invalid', { detail: 'Take cursors from page.nextCursor as they are.' });
  return Number(version);
}

/** The list answer for up to `limit + 1` versions, newest first. */
export function versionPage(found: readonly ViewVersionItemDto[], limit: number): ViewVersionListDto {
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data, page: { limit, ...(found.length > limit && last ? { nextCursor: encode(last.version) } : {}) } };
}

const encode = (version: number): string => Buffer.from(`v${version}`, 'latin1').toString('base64url');
