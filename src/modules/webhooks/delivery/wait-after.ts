const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 3_600;

/**
 * Seconds until the next try after so many in vain: 2, 4, 8 … up to an hour, each a quarter more or less, so that webhooks that failed
 * together do not come back together. What the receiver asks for is the least, up to an hour as well.
 *
 * @param random from 0 to 1
 */
export function waitAfter(attempts: number, asked = 0, random = Math.random()): number {
  const doubled = Math.min(FIRST_SECONDS * 2 ** Math.min(attempts - 1, 20), LONGEST_SECONDS);
  return Math.max(doubled * (0.75 + random / 2), Math.min(asked, LONGEST_SECONDS));
}
