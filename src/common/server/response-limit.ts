import { Problem } from '../errors/index.js';

/** Throws `limit_reached` for a text of more bytes than the limit. Bytes are counted only where characters do not decide it. */
export function refuseTooLarge(text: string, limit: number): void {
  // UTF-8 has at most three bytes for each UTF-16 unit.
  if (text.length * 3 <= limit) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= limit) return;
  throw new Problem('limit_reached', {
    detail:
      `The answer would have ${bytes.toLocaleString('en')} bytes, and may have ${limit.toLocaleString('en')}. ` +
      'Ask for fewer rows (limit) or fewer columns (fields), and read on with the cursor.',
  });
}
