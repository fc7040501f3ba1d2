import type { Id } from '../../../common/index.js';

/** Somebody asks others to leave a cell to him. */
export interface Claim {
  readonly channel: string;
  readonly rowId: string;
  readonly columnKey: string;
  /** One socket at one cell. */
  readonly holder: Id;
  readonly userId: Id;
  readonly name: string;
  /** When it was made, by the clock of its node, milliseconds since 1970: of two that were made at once the earlier one holds. */
  readonly since: number;
}

/** What has become of a claim: it is there now, was there before, or another one was earlier. */
export type Outcome = 'new' | 'same' | 'late';

/** Which cells are claimed, on all nodes, as far as this one has heard. A claim that is not renewed ends. */
export class LockBoard {
  private readonly claims = new Map<string, { readonly claim: Claim; readonly heardAt: number }>();

  constructor(private readonly lifetimeMs: number) {}

  get isEmpty(): boolean {
    return this.claims.size === 0;
  }

  /** The claim on a cell. */
  at(cell: Cell, now: number): Claim | undefined {
    const found = this.claims.get(keyOf(cell));
    return found && now - found.heardAt <= this.lifetimeMs ? found.claim : undefined;
  }

  put(claim: Claim, now: number): Outcome {
    const there = this.at(claim, now);
    if (there && there.holder !== claim.holder && isEarlier(there, claim)) return 'late';
    this.claims.set(keyOf(claim), { claim, heardAt: now });
    return there?.holder === claim.holder ? 'same' : 'new';
  }

  /** Whether it was there. */
  remove(claim: Claim): boolean {
    if (this.claims.get(keyOf(claim))?.claim.holder !== claim.holder) return false;
    return this.claims.delete(keyOf(claim));
  }

  /** Takes away those that were not renewed. */
  expire(now: number): readonly Claim[] {
    const old = [...this.claims.values()].filter(({ heardAt }) => now - heardAt > this.lifetimeMs);
    for (const { claim } of old) this.claims.delete(keyOf(claim));
    return old.map(({ claim }) => claim);
  }

  /** Those at a channel, up to a number. */
  in(channel: string, now: number, atMost: number): readonly Claim[] {
    const found = [...this.claims.values()].filter(
      ({ claim, heardAt }) => claim.channel === channel && now - heardAt <= this.lifetimeMs,
    );
    return found.slice(0, atMost).map(({ claim }) => claim);
  }
}

export type Cell = Pick<Claim, 'channel' | 'rowId' | 'columnKey'>;

/** A text that no two cells share, whatever clients call them. */
export const keyOf = ({ channel, rowId, columnKey }: Cell): string => JSON.stringify([channel, rowId, columnKey]);

const isEarlier = (one: Claim, other: Claim): boolean =>
  one.since < other.since || (one.since === other.since && one.holder < other.holder);
