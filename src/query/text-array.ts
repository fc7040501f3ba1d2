/** Of text (pg_type.dat). */
const TEXT_OID = 25;
/** Dimensions, whether there are nulls, the type of the elements; the length of the only dimension, and where it begins. */
const HEADER = 20;

/**
 * Texts in the binary form of a PostgreSQL `text[]` (array_recv in arrayfuncs.c): every element has its length before it, so that nothing in
 * it is quoted by us or looked for by PostgreSQL. A thousand JSON texts cost a third of what they cost as an array in text form.
 */
export function textArray(elements: readonly (string | null)[]): Buffer {
  let most = HEADER;
  // No UTF-16 unit takes more than three bytes in UTF-8.
  for (const element of elements) most += 4 + (element === null ? 0 : element.length * 3);
  const bytes = Buffer.allocUnsafe(most);
  const hasNulls = elements.includes(null) ? 1 : 0;
  let at = 0;
  for (const field of [1, hasNulls, TEXT_OID, elements.length, 1]) at = bytes.writeInt32BE(field, at);
  for (const element of elements) {
    const length = element === null ? -1 : bytes.write(element, at + 4);
    bytes.writeInt32BE(length, at);
    at += 4 + Math.max(0, length);
  }
  return bytes.subarray(0, at);
}
