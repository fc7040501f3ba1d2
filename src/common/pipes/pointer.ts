/** A JSON pointer (RFC 6901) of the given path. */
export const pointer = (...path: readonly (string | number)[]): string =>
  path.map((part) => '/' + String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('');
