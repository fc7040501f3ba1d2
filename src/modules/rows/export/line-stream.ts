import { Readable } from 'node:stream';
import { refusalOf } from '../../../common/index.js';

/** Whoever takes nothing for so long has gone, or holds a connection to the database for nothing. */
const STALLED_MS = 60_000;

/** Rights are known 3 s late at most: none is used for 5 s after its end. */
const LOOK_EVERY_MS = 1_500;

/** Where texts come from, one after the other, until there are no more. */
export interface TextSource {
  next(): Promise<string | undefined>;
  /** Called once, whether all texts were taken or not. Never rejects. */
  close(): Promise<void>;
}

/**
 * Texts as a stream of UTF-8. The next is asked for when the last has been taken, so that a slow reader slows the database down and
 * fills no memory; one that takes nothing for a while is cut off, and so is one who may not read any more. However the stream ends, the source is closed.
 */
export class LineStream extends Readable {
  private stalled: NodeJS.Timeout | undefined;
  private lookedAt: number;

  /** @param stillAllowed rejects when the reader may have no more */
  constructor(
    private readonly source: TextSource,
    private readonly stillAllowed: () => Promise<unknown> = () => Promise.resolve(),
    private readonly stalledMs = STALLED_MS,
    private readonly now = (): number => performance.now(),
  ) {
    super({ highWaterMark: 64 * 1024 });
    this.lookedAt = this.now();
    this.watch();
  }

  override _read(): void {
    clearTimeout(this.stalled);
    this.next().then(
      (text) => {
        if (text !== undefined) this.watch();
        this.push(text === undefined ? null : Buffer.from(text));
      },
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  private async next(): Promise<string | undefined> {
    if (this.now() - this.lookedAt >= LOOK_EVERY_MS) {
      const refused = await refusalOf(this.stillAllowed());
      if (refused) throw refused;
      this.lookedAt = this.now();
    }
    return this.source.next();
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
