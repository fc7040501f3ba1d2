const DIGITS = /^-?\d{1,4096}$/;

/**
 * For `@Transform`: a whole number of a query string. `Number` would also make one of "", " 5", "0x10" and "1e3"; what is not written in
 * digits stays the text that it is, for `@IsInt` to refuse.
 */
export const toWholeNumber = ({ value }: { readonly value: unknown }): unknown =>
  typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
