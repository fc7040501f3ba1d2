import { Problem } from '../errors/index.js';

/** Throws `limit_reached` for an answer of more bytes than the limit. */
export function refuseTooLarge(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new Problem('limit_reached', {
    detail:
      `The answer would have ${bytes.toLocaleString('en')} bytes, and may have ${limit.toLocaleString('en')}. ` +
      'Ask for fewer rows (limit) or fewer columns (fields), and read on with the cursor.',
  });
}
