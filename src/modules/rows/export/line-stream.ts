import { Readable } from 'node:stream';

/** Whoever takes nothing for so long has gone, or holds a connection to the database for nothing. */
const STALLED_MS = 60_000;

/** Where texts come from, one after the other, until there are no more. */
export interface TextSource {
  next(): Promise<string | undefined>;
  /** Called once, whether all texts were taken or not. Never rejects. */
  close(): Promise<void>;
}

/**
 * Texts as a stream of UTF-8. The next is asked for when the last has been taken, so that a slow reader slows the database down and
 * fills no memory; one that takes nothing for a while is cut off. However the stream ends, the source is closed.
 */
export class LineStream extends Readable {
  private stalled: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: TextSource,
    private readonly stalledMs = STALLED_MS,
  ) {
    super({ highWaterMark: 64 * 1024 });
    this.watch();
  }

  override _read(): void {
    clearTimeout(this.stalled);
    this.source.next().then(
      (text) => {
        if (text !== undefined) this.watch();
        this.push(text === undefined ? null : Buffer.from(text));
      },
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.stalled);
    void this.source.close().then(() => done(error));
  }

  private watch(): void {
    if (this.destroyed) return;
    const cut = (): void => void this.destroy(new Error('The reader of an export takes nothing any more.'));
    this.stalled = setTimeout(cut, this.stalledMs).unref();
  }
}
