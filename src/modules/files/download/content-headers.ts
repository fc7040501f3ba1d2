import type { StoredFile } from '../../../engines/index.js';
import { OCTET_STREAM } from '../media-type.js';

/** What browsers show and cannot run. */
const SHOWN: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'application/pdf']);

/** The media type that a file goes out with: its own where that is harmless, else bytes of any kind. */
export function servedType(mimeType: string): string {
  if (mimeType === 'text/plain') return 'text/plain; charset=utf-8';
  return SHOWN.has(mimeType) ? mimeType : OCTET_STREAM;
}

/**
 * `Content-Disposition` (RFC 6266): the name in UTF-8 (RFC 8187), before it a form in ASCII for those who do not know that.
 * `%` is replaced there too, since some decode it.
 */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** The entity tag of a file: two with the same bytes share it. */
export const entityTag = ({ sha256 }: Pick<StoredFile, 'sha256'>): string => `"${sha256}"`;

/** Headers that make a file of anybody harmless in a browser, whatever is in it; `maxAge` in seconds. */
export function contentHeaders(
  file: StoredFile,
  { inline, maxAge }: { readonly inline: boolean; readonly maxAge: number },
): Record<string, string> {
  const type = servedType(file.mimeType);
  return {
    'content-type': type,
    'content-disposition': contentDisposition(inline && SHOWN.has(type) ? 'inline' : 'attachment', file.name),
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': `private, max-age=${maxAge}`,
    'accept-ranges': 'bytes',
    etag: entityTag(file),
  };
}
