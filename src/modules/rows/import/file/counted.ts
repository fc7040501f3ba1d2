import type { Bytes } from './row-file.js';

/** Bytes that tell how many of them were read, the last time that somebody began to. */
export interface CountedBytes extends Bytes {
  readonly bytesRead: number;
}

export function counted(bytes: Bytes): CountedBytes {
  let bytesRead = 0;
  return {
    get bytesRead() {
      return bytesRead;
    },
    async *read() {
      bytesRead = 0;
      for await (const piece of bytes.read()) {
        bytesRead += piece.length;
        yield piece;
      }
    },
  };
}
