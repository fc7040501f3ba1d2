import { LRUCache } from 'lru-cache';

/** A page, written. */
export interface WrittenPage {
  readonly body: Buffer;
  readonly rows: number;
  readonly nextCursor?: string;
  /** When it was read, in milliseconds. */
  readonly at: number;
  readonly databaseMs: number;
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

  /** The answer of this name, made by `make` where nobody is at it already. What fails is not kept. */
  share(name: string, make: () => Promise<WrittenPage>): Promise<WrittenPage> {
    const before = this.underWay.get(name);
    if (before) return before;
    const page = make().then((made) => {
      this.kept.set(name, made);
      return made;
    });
    this.underWay.set(name, page);
    const end = (): unknown => this.underWay.delete(name);
    page.then(end, end);
    return page;
  }
}
