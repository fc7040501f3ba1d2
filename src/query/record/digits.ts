/** Of each number so many characters, as the 16 bits that they are in little-endian order. */
const pairsOf = (count: number, text: (n: number) => string): Uint16Array =>
  Uint16Array.from({ length: count }, (_, n) => text(n).charCodeAt(0) | (text(n).charCodeAt(1) << 8));

/** `00` to `99`. */
export const DECIMAL_PAIRS = pairsOf(100, (n) => String(n).padStart(2, '0'));
/** `00` to `ff`. */
export const HEX_PAIRS = pairsOf(256, (n) => n.toString(16).padStart(2, '0'));

/** How many digits a number below 10^9 has. */
export function digits(n: number): number {
  if (n < 10_000) return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : 4;
  if (n < 1_000_000) return n < 100_000 ? 5 : 6;
  return n < 10_000_000 ? 7 : n < 100_000_000 ? 8 : 9;
}
