import { Readable } from 'node:stream';

const HEARTBEAT_MS = 15_000;
/** A reader who is behind by so much gets nothing more until he has taken it: the next event holds all that is new anyway. */
const MAX_BEHIND = 1024 * 1024;

/** Server-sent events (HTML standard, section 9.2), with a comment now and then, by which whoever is in between sees that somebody is there. */
export class PageStream extends Readable {
  private readonly heart: NodeJS.Timeout;

  constructor(private readonly onClose: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.heart = setInterval(() => this.write(': \n\n'), HEARTBEAT_MS).unref();
    this.write('retry: 2000\n\n');
  }

  get isBehind(): boolean {
    return this.readableLength > MAX_BEHIND;
  }

  /** Without an id, a reader who comes back says the one before. */
  send(event: string, id: string | undefined, data: string): void {
    const lines = data.split('\n').map((line) => `data: ${line}\n`);
    this.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n${lines.join('')}\n`);
  }

  end(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    // What there is to send is pushed when it is there.
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.heart);
    this.onClose();
    done(error);
  }

  private write(text: string): void {
    if (!this.destroyed && !this.readableEnded) this.push(text);
  }
}
