/**
 * A text in memory that is lent: it stands there until it is given back, and is written over then. Of the many that one page after the other takes and
 * gives back nothing is left for the garbage collector, which otherwise copies each of them as long as its reader takes to read.
 */
export class LentText {
  private memory: Buffer | undefined;

  /** @param from where the text begins in the memory; before it is room for what is put around it */
  constructor(
    memory: Buffer,
    private readonly from: number,
    private readonly to: number,
    private readonly back: (text: LentText, memory: Buffer) => void,
  ) {
    this.memory = memory;
  }

  /** Bytes, in UTF-8. */
  get size(): number {
    return this.to - this.from;
  }

  /** The bytes of the text between two others; where these fit, no byte of the text is moved, and they are good until it is given back. */
  within(before: string, after: string): Buffer {
    const memory = this.held();
    const start = this.from - Buffer.byteLength(before);
    const end = this.to + Buffer.byteLength(after);
    if (start < 0 || end > memory.length)
      return Buffer.concat([Buffer.from(before), memory.subarray(this.from, this.to), Buffer.from(after)]);
    memory.write(before, start);
    memory.write(after, this.to);
    return memory.subarray(start, end);
  }

  toString(): string {
    return this.held().toString('utf8', this.from, this.to);
  }

  /** Once nobody reads it any more. */
  giveBack(): void {
    const { memory } = this;
    if (!memory) return;
    this.memory = undefined;
    this.back(this, memory);
  }

  private held(): Buffer {
    if (!this.memory) throw new Error('the text was given back');
    return this.memory;
  }
}

/** Lends memory in pieces of one size. What is never given back is gone with whoever had it. */
export class Lender {
  private readonly spare: Buffer[] = [];
  private lent = 0;
  private readonly lost = new FinalizationRegistry<null>(() => {
    this.lent -= 1;
  });

  /** @param most pieces that are lent at one time: readers that take their time hold no more than these */
  constructor(
    readonly size: number,
    private readonly most: number,
  ) {}

  get canLend(): boolean {
    return this.lent < this.most;
  }

  /** Memory that nobody reads. */
  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** @param memory a piece that was taken, and that its borrower has whole from now on */
  lend(memory: Buffer, from: number, to: number): LentText {
    const text = new LentText(memory, from, to, (returned, piece) => {
      this.lost.unregister(returned);
      this.lent -= 1;
      this.spare.push(piece);
    });
    this.lent += 1;
    this.lost.register(text, null, text);
    return text;
  }
}
