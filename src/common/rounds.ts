/** How often something is done in the background, milliseconds. */
export interface Rhythm {
  readonly everyMs: number;
  /** The first time, where that is sooner: also for processes that never live for so long. */
  readonly firstMs?: number;
}

/**
 * Work that is done again and again in the background, one round at a time. It keeps no process alive, and a round that fails is told of
 * and tried again with the next.
 */
export class Rounds {
  private timers: NodeJS.Timeout[] = [];
  private running: Promise<void> | undefined;
  private ending = false;

  constructor(
    private readonly round: () => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Whether the round that is under way should come to an end. */
  get isEnding(): boolean {
    return this.ending;
  }

  begin({ everyMs, firstMs }: Rhythm): void {
    const next = (): void => {
      this.running ??= this.quietly().finally(() => (this.running = undefined));
    };
    this.timers = [setInterval(next, everyMs), ...(firstMs === undefined ? [] : [setTimeout(next, firstMs)])];
    for (const timer of this.timers) timer.unref();
  }

  /** Waits for the round that is under way. */
  async end(): Promise<void> {
    this.ending = true;
    for (const timer of this.timers) clearTimeout(timer);
    await this.running;
  }

  private async quietly(): Promise<void> {
    try {
      await this.round();
    } catch (error) {
      this.failed(error);
    }
  }
}
