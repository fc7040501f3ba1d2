import { Transform, type TransformCallback } from 'node:stream';
import { Problem } from '../../../common/index.js';

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
/** Where the name of the first member of a command stands in an OP_MSG: behind header, flags, kind of section, length and type. */
const FIRST_NAME = 26;

/** What a message of signing in may have, and how often a password may be hashed for it: MongoDB's default is 15,000 times. */
const MAX_SIGN_IN_BYTES = 64 * 1024;
const MAX_ITERATIONS = 500_000;

const broken = (detail: string): Problem => new Problem('source_failed', { detail });

/**
 * Looks at what passes between the driver and a server that may be anybody. The driver believes whatever length a message says, inflates
 * what was never asked to be compressed, and hashes a password as often as it is told to; none of this reaches it.
 */
export class WireGuard {
  private expectsSignIn = false;
  private askedLeft = 0;

  constructor(private readonly maxBytes: number) {}

  /** What the driver sends; it is ours, and only tells what the next answer is about. */
  readonly requests = new Transform({
    transform: (chunk: Buffer, _, done) => {
      this.follow(chunk);
      done(null, chunk);
    },
  });

  private follow(chunk: Buffer): void {
    if (this.askedLeft === 0) {
      this.askedLeft = chunk.length >= 4 ? chunk.readInt32LE(0) : chunk.length;
      this.expectsSignIn = chunk.length <= FIRST_NAME + 16 || isSignIn(chunk);
    }
    this.askedLeft = Math.max(0, this.askedLeft - chunk.length);
  }

  /** What the server sends. */
  readonly replies = new Transform({
    transform: (chunk: Buffer, _, done) => this.take(chunk, done),
  });

  private header = Buffer.alloc(0);
  private left = 0;
  private kept: Buffer[] | undefined;

  private take(chunk: Buffer, done: TransformCallback): void {
    try {
      for (let at = 0; at < chunk.length;) at = this.left > 0 ? this.body(chunk, at) : this.begin(chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  /** @returns where it went on to */
  private begin(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + HEADER - this.header.length);
    this.header = Buffer.concat([this.header, chunk.subarray(at, end)]);
    if (this.header.length < HEADER) return end;
    const length = this.header.readInt32LE(0);
    const operation = this.header.readInt32LE(12);
    if (length <= HEADER || (operation !== OP_MSG && operation !== OP_REPLY))
      throw broken('What answers at this host and port cannot be understood as a MongoDB.');
    if (length > (this.expectsSignIn ? MAX_SIGN_IN_BYTES : this.maxBytes)) throw new Problem('answer_too_large');
    this.left = length - HEADER;
    if (this.expectsSignIn) this.kept = [];
    this.replies.push(this.header);
    this.header = Buffer.alloc(0);
    return end;
  }

  private body(chunk: Buffer, at: number): number {
    const part = chunk.subarray(at, at + this.left);
    this.left -= part.length;
    if (!this.kept) this.replies.push(part);
    else {
      this.kept.push(part);
      if (this.left === 0) this.checkSignIn();
    }
    return at + part.length;
  }

  private checkSignIn(): void {
    const message = Buffer.concat(this.kept ?? []);
    for (const [, iterations] of message.toString('latin1').matchAll(/,i=(\d+)/g))
      if (Number(iterations) > MAX_ITERATIONS) throw broken('The server asks to hash the password too often.');
    this.kept = undefined;
    this.replies.push(message);
  }
}

/** The greeting carries the first step, so its answer may carry the second. */
const isSignIn = (message: Buffer): boolean =>
  message.readInt32LE(12) === OP_QUERY || /^(sasl|hello|isMaster|ismaster)/.test(message.toString('latin1', FIRST_NAME, FIRST_NAME + 12)); // prettier-ignore
