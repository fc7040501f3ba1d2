/** Bytes that are written many times, ready to be written eight at once. */
export interface Piece {
  /** In bytes. */
  readonly length: number;
  /** The bytes, little-endian, filled up with zeros. No text in UTF-8 makes a NaN, of which engines do not keep the bits. */
  readonly words: Float64Array;
  readonly isAscii: boolean;
}

const utf8 = new TextEncoder();

/** Text between values. */
export const between = (text: string): Piece => pieceOf(utf8.encode(text));

export function pieceOf(bytes: Uint8Array): Piece {
  const view = new DataView(new ArrayBuffer((bytes.length + 7) & ~7));
  bytes.forEach((byte, i) => {
    view.setUint8(i, byte);
  });
  const words = Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true));
  return { length: bytes.length, words, isAscii: bytes.every((byte) => byte < 128) };
}
