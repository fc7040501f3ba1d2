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

interface Kept {
  readonly page: WrittenPage;
  readonly state: string | undefined;
}

/**
 * Answers that were given, by what was asked, each with the state of the data that it is of, where that is known: an answer of another state is as good
 * as none, so that no entry is ever wrong and nothing has to be thrown away when the data changes; the next answer takes its place. Callers who
 * want the same of the same state at once share one reading.
 */
export class Answers {
  private readonly kept = new LRUCache<string, Kept>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_BYTES / 16,
    sizeCalculation: ({ page: { body } }) => body.length + OVERHEAD,
  });
  private readonly underWay = new Map<string, Promise<WrittenPage>>();
  private readonly turns = new Map<string, Turn>();

  /** Found, and not found, by {@link find}. */
  hits = 0;
  misses = 0;

  get size(): number {
    return this.kept.size;
  }

  /** The answer of this state of the data, where one is known. */
  find(name: string, state?: string): WrittenPage | undefined {
    const kept = this.kept.get(name);
    const page = kept?.state === state ? kept?.page : undefined;
    if (page) this.hits++;
    else this.misses++;
    return page;
  }

  keep(name: string, page: WrittenPage, state?: string): void {
    this.kept.set(name, { page, state });
  }

  /** The answer of this name and state, made by `make` where nobody is at it already. What fails is not kept. */
  share(name: string, make: () => Promise<WrittenPage>, state?: string): Promise<WrittenPage> {
    const turn = JSON.stringify([name, state]);
    const before = this.underWay.get(turn);
    if (before) return before;
    const page = make().then((made) => {
      this.keep(name, made, state);
      return made;
    });
    this.underWay.set(turn, page);
    const end = (): unknown => this.underWay.delete(turn);
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
