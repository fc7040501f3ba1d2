import type { Id } from '../../../common/index.js';
import type { ChangeLog, StreamHead } from '../../../engines/index.js';
import { headsOf, type LiveView } from '../../views/index.js';
import type { LiveEvent } from '../feed/index.js';
import { viewInvalidated } from './view-event.js';
import { ViewSource } from './view-source.js';

/** Whoever follows the view is told to read it again no more often than this. */
const WINDOW_MS = 250;

interface Known {
  readonly seq: number;
  readonly heads: ReadonlyMap<Id, StreamHead>;
}

/** A view that more has a say in than the rows of one table: that something was written is all that can be told of it. */
export class WholeViewSource extends ViewSource {
  readonly recall: 'heads' | 'nothing';
  /** Where the tables stood at the number that was told last, and where they stand by now. */
  private known: Known | undefined;
  private next: Known | undefined;
  private toldAt = 0;

  constructor(
    view: LiveView,
    private readonly log: Pick<ChangeLog, 'heads'>,
    channel: string,
    outdated: () => void,
  ) {
    super(view, channel, outdated);
    this.recall = view.objects.length > 0 || view.isTimeBound ? 'nothing' : 'heads';
  }

  protected async heads(): Promise<ReadonlyMap<Id, StreamHead>> {
    const heads = await headsOf(this.log, this.tables);
    const seq = this.headOf(heads)?.seq;
    if (seq !== undefined) this.known ??= { seq, heads };
    return heads;
  }

  /** One event for all that came together. */
  async events(epoch: string, after: number): Promise<readonly LiveEvent[]> {
    const wait = this.toldAt + WINDOW_MS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait).unref());
    const heads = await this.heads();
    const head = this.headOf(heads);
    if (!head) throw this.outOfDate();
    if (this.next?.seq === after) this.known = this.next;
    this.next = { seq: head.seq, heads };
    if (head.epoch !== epoch || head.seq <= after) return [];
    this.toldAt = performance.now();
    const tables = this.known?.seq === after ? this.changedSince(this.known, heads) : [];
    const cause = { kind: 'tables' as const, ...(tables.length > 0 ? { tables } : {}) };
    return [viewInvalidated(this.channel, epoch, after, head.seq, new Date().toISOString(), cause)];
  }

  private changedSince(known: Known, heads: ReadonlyMap<Id, StreamHead>): readonly Id[] {
    return this.tables.map(({ id }) => id).filter((id) => known.heads.get(id)?.seq !== heads.get(id)?.seq);
  }
}
