import { LRUCache } from 'lru-cache';

/** A page, written. */
export interface WrittenPage {
  readonly body: Buffer;
  readonly rows: number;
  readonly nextCursor?: string;
  /** When it was read, in milliseconds. */
  readonly at: number;
  readonly databaseMs: number;
  /** The shape of what the databases were asked, where that took them long. */
  readonly slowPlan?: string;
  /** Names what it says, without what is another text each time, which cursors are; of answers that nothing else names. */
  readonly content?: string;
  /** Made by another node: no rows were asked for it here. */
  readonly isFromElsewhere?: boolean;
}

/** What is kept of answers in all. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 20_000;
/** Of an entry besides its bytes. */
const OVERHEAD = 1_024;

/**
 * Answers that were given, by all that decides what they are: where that holds the state of the data, no entry is ever wrong, and nothing has to be
 * thrown away when the data changes. Callers who want the same at once share one reading.
 */
export class Answers {
  private readonly kept = new LRUCache<string, WrittenPage>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_BYTES / 16,
    sizeCalculation: ({ body }) => body.length + OVERHEAD,
  });
  private readonly underWay = new Map<string, Promise<WrittenPage>>();
  private readonly turns = new Map<string, Turn>();

  /** Found, and not found, by {@link find}. */
  hits = 0;
  misses = 0;

  get size(): number {
    return this.kept.size;
  }

  find(name: string): WrittenPage | undefined {
    const page = this.kept.get(name);
    if (page) this.hits++;
    else this.misses++;
    return page;
  }

  keep(name: string, page: WrittenPage): void {
    this.kept.set(name, page);
  }

  /** The answer of this name, made by `make` where nobody is at it already. What fails is not kept. */
  share(name: string, make: () => Promise<WrittenPage>): Promise<WrittenPage> {
    const before = this.underWay.get(name);
    if (before) return before;
    const page = make().then((made) => {
      this.keep(name, made);
      return made;
    });
    this.underWay.set(name, page);
    const end = (): unknown => this.underWay.delete(name);
    page.then(end, end);
    return page;
  }

  /**
   * An answer that is read after this call, of data whose changes leave no trace: while one is under way, all who come wait for the next one
   * together, however many they are. Nothing is kept.
   */
  next(name: string, make: () => Promise<WrittenPage>): Promise<WrittenPage> {
    const turn = this.turns.get(name) ?? { ended: Promise.resolve() };
    if (turn.waiting) return turn.waiting;
    const page = turn.ended.then(() => {
      // Whoever comes from now on is too late for this one.
      delete turn.waiting;
      return make();
    });
    const leave = (): void => {
      if (turn.ended === ended) this.turns.delete(name);
    };
    const ended = page.then(leave, leave);
    this.turns.set(name, Object.assign(turn, { waiting: page, ended }));
    return page;
  }
}

/** The readings of a name: the one that waits, and when the last of all ends. */
interface Turn {
  ended: Promise<void>;
  waiting?: Promise<WrittenPage>;
}
