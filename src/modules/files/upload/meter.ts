import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { Problem } from '../../../common/index.js';

/** Lets bytes through while it counts and hashes them; fails (`payload_too_large`) with the first byte past the limit. */
export class Meter extends Transform {
  private readonly hash = createHash('sha256');
  /** Bytes so far. Not called `size`: the SDK of S3 takes that of a stream for what is still to come. */
  count = 0;

  constructor(private readonly maxBytes: number) {
    super();
  }

  /** SHA-256 in hexadecimal; once, at the end. */
  sha256(): string {
    return this.hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.count += chunk.length;
    if (this.count > this.maxBytes) {
      const detail = `A file may have at most ${this.maxBytes.toLocaleString('en')} bytes.`;
      done(new Problem('payload_too_large', { detail }));
      return;
    }
    this.hash.update(chunk);
    done(null, chunk);
  }
}
