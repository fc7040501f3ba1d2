/** When nothing better is known (RFC 2046, section 4.5.1). */
export const OCTET_STREAM = 'application/octet-stream';

const WELL_FORMED = /^[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*$/;

/** A declared media type as it is kept: lower case, without parameters; what is none is bytes of any kind. */
export function cleanMediaType(given: string | undefined): string {
  const type = (given ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type.length <= 127 && WELL_FORMED.test(type) ? type : OCTET_STREAM;
}

/** Whether the list of allowed types, which may name whole families (`image/*`), has this one; an empty list has all. */
export function isAllowed(type: string, allowed: readonly string[]): boolean {
  const family = `${type.split('/', 1)[0] ?? ''}/*`;
  return allowed.length === 0 || allowed.includes(type) || allowed.includes(family);
}
