/**
 * The hits of one key in one window. Some are known to the other nodes, as part of the total that Redis told; some were
 * counted here and are on their way there, or not yet.
 */
export class Window {
  private total = 0;
  private sending = 0;
  private unsent = 0;

  /** @param endsAt milliseconds since 1970 */
  constructor(
    readonly key: string,
    public endsAt: number,
  ) {}

  /** All that this node knows of. */
  get hits(): number {
    return this.total + this.sending + this.unsent;
  }

  /** What the others have not been told of yet. */
  get untold(): number {
    return this.unsent;
  }

  /** What this node does not know the others to know: told and not answered yet, or not told. */
  get ahead(): number {
    return this.sending + this.unsent;
  }

  count(): void {
    this.unsent++;
  }

  /** What is to be told to the others now; must be followed by {@link adopt} or {@link keep} of the same number. */
  take(): number {
    const taken = this.unsent;
    this.sending += taken;
    this.unsent = 0;
    return taken;
  }

  /** The others know: their total, which holds `taken`, and their end of the window hold from now on. */
  adopt(taken: number, total: number, endsAt: number): void {
    this.sending -= taken;
    this.total = total;
    this.endsAt = endsAt;
  }

  /** Nobody knows whether the others know. Not told a second time: people are rather counted too little than doubly. */
  keep(taken: number): void {
    this.sending -= taken;
    this.total += taken;
  }
}
