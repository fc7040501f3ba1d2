import type { AppRequest } from '../../common/index.js';

/** Whether the request has this preference in its `Prefer` header (RFC 7240), such as `return=minimal`. */
export function prefers({ headers: { prefer } }: AppRequest, name: string, value?: string): boolean {
  const wishes = (typeof prefer === 'string' ? prefer : (prefer ?? []).join(',')).split(/[,;]/);
  return wishes.some((wish) => {
    const [given = '', wanted] = wish.split('=').map((part) =>
      part
        .trim()
        .toLowerCase()
        .replace(/^"(.*)"$/, '$1'),
    );
    return given === name && wanted === value;
  });
}
