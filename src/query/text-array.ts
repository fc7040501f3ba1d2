/** Of text (pg_type.dat). */
const TEXT_OID = 25;
/** Longer texts are written by a call of their own, which is dearer to make than this many letters to look at. */
const SHORT = 40;
/** A larger one is not kept. */
const MAX_KEPT = 4 * 1024 * 1024;

/** What is written into, again and again: memory that is asked for anew for each list would be collected as garbage with it. */
let kept: Buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * Texts in the binary form of a PostgreSQL `text[]` (array_recv in arrayfuncs.c): every element has its length before it, so that nothing in
 * it is quoted by us or looked for by PostgreSQL. A thousand JSON texts cost a third of what they cost as an array in text form.
 */
export function textArray(elements: readonly (string | null)[]): Buffer {
  let bytes = kept;
  // Dimensions, whether there are nulls, the type of the elements; the length of the only dimension, and where it begins.
  let at = 0;
  for (const field of [1, elements.includes(null) ? 1 : 0, TEXT_OID, elements.length, 1])
    at = bytes.writeInt32BE(field, at);
  for (const element of elements) {
    // No UTF-16 unit takes more than three bytes in UTF-8.
    const most = at + 4 + (element?.length ?? 0) * 3;
    if (most > bytes.length) bytes = larger(bytes, at, most);
    const length = element === null ? -1 : write(bytes, element, at + 4);
    bytes[at] = length >> 24;
    bytes[at + 1] = length >> 16;
    bytes[at + 2] = length >> 8;
    bytes[at + 3] = length;
    at += 4 + Math.max(0, length);
  }
  if (bytes.length <= MAX_KEPT) kept = bytes;
  return Buffer.from(bytes.subarray(0, at));
}

/** In UTF-8. @returns how many bytes that were */
function write(bytes: Buffer, text: string, at: number): number {
  if (text.length > SHORT) return bytes.write(text, at);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return bytes.write(text, at);
    bytes[at + i] = unit;
  }
  return text.length;
}

function larger(bytes: Buffer, used: number, least: number): Buffer {
  const next = Buffer.allocUnsafe(Math.max(least, bytes.length * 2));
  bytes.copy(next, 0, 0, used);
  return next;
}
