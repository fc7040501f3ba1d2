/** Where published views are, on this host; beside the API and not below it. */
export const PUBLIC_PREFIX = 'public/views';

/** Path of a version: the first keeps the bare address for ever, those beside it have their number behind it. */
export const publicPath = (slug: string, apiVersion: number): string =>
  `/${PUBLIC_PREFIX}/${slug}${apiVersion === 1 ? '' : `/v${apiVersion}`}`;

/** The version that a segment such as `v2` names; each has one address, so `v1` names none. */
export function versionIn(segment: string | undefined): number | undefined {
  if (segment === undefined) return 1;
  const [, digits] = /^v([1-9]\d{0,8})$/.exec(segment) ?? [];
  return digits === undefined || digits === '1' ? undefined : Number(digits);
}
