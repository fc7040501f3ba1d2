/** Not in the typings of the driver. */
declare module 'pg/lib/utils.js' {
  /** A value as a parameter of the protocol: bytes, or text; arrays as literals of PostgreSQL, objects as JSON. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
