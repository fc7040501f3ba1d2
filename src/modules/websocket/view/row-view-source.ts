import type { Id } from '../../../common/index.js';
import type { ChangeLog, Change, HistoryLog, MiniDbLookup, StreamHead } from '../../../engines/index.js';
import { wholeOf, type ViewInMemory } from '../../../query/index.js';
import { headsOf, type LiveView } from '../../views/index.js';
import { bySeq, FOLLOW_LIMITS, MAX_EVENT_ROWS, type LiveEvent } from '../feed/index.js';
import { rowImages, type BeforeAndAfter } from './row-images.js';
import { viewEvent, viewInvalidated } from './view-event.js';
import { ViewSource } from './view-source.js';

/** Of what happened to rows by now, to know what they were then. */
const TAKEN_BACK = { entries: 5_000, bytes: 16 * 2 ** 20 };

type Images = ReadonlyMap<string, BeforeAndAfter>;

/** Where the log of a table is, and what is in its rows. */
export interface RowSources {
  readonly log: Pick<ChangeLog, 'heads' | 'follow'>;
  readonly history: Pick<HistoryLog, 'rowsChanged'>;
  readonly lookup: Pick<MiniDbLookup, 'cells'>;
}

/**
 * A view of rows of one table, by the log of the table: each change is looked at by what the row was and what it became. However many follow it, the rows
 * are read once for each batch, and not at all where nothing changed that the view shows, filters or sorts by.
 */
export class RowViewSource extends ViewSource {
  /** Of the past nobody is told who sees part of the table: rows were in sight then that are not now. */
  readonly recall: 'all' | 'heads';
  private readonly keys: ReadonlySet<string>;

  constructor(
    view: LiveView,
    private readonly rows: ViewInMemory,
    private readonly sources: RowSources,
    channel: string,
    outdated: () => void,
  ) {
    super(view, channel, outdated);
    this.recall = view.sight === undefined ? 'all' : 'heads';
    this.keys = new Set(rows.cells.map(({ key }) => key));
  }

  protected heads(): Promise<ReadonlyMap<Id, StreamHead>> {
    return headsOf(this.sources.log, this.tables);
  }

  async events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]> {
    const { id, schemaVersion, physical } = this.rows.table;
    const changes = await this.sources.log.follow(physical.schema, id, after, limit, FOLLOW_LIMITS);
    if (changes.some((change) => change.schemaVersion !== schemaVersion)) throw this.outOfDate();
    const numbers = bySeq(changes);
    const concerned = new Set(
      numbers
        .filter(isTellable)
        .flat()
        .flatMap((change) => this.rowOf(change)),
    );
    const images = await this.images(concerned, after);
    return numbers.map((each) => this.event(epoch, each, concerned, images));
  }

  private event(
    epoch: string,
    changes: readonly Change[],
    concerned: ReadonlySet<Id>,
    images: Images | undefined,
  ): LiveEvent {
    const [first] = changes;
    const isKnown = (change: Change): boolean =>
      change.rowId === null || !concerned.has(change.rowId) || images?.has(placeOf(change)) === true;
    if (first && (!isTellable(changes) || !changes.every(isKnown)))
      return viewInvalidated(this.channel, epoch, first.seq - 1, first.seq, first.at, { kind: 'size' });
    const imageOf = (change: Change): BeforeAndAfter | undefined => images?.get(placeOf(change));
    return viewEvent(this.channel, epoch, { view: this.rows, isPart: this.view.sight !== undefined }, changes, imageOf);
  }

  /** The row, where the change may be one of what the view shows. */
  private rowOf({ op, rowId, after }: Change): readonly Id[] {
    if (rowId === null) return [];
    return op !== 'update' || Object.keys(after ?? {}).some((key) => this.keys.has(key)) ? [rowId] : [];
  }

  /** Undefined where too much happened to the rows since. */
  private async images(ids: ReadonlySet<Id>, after: number): Promise<Images | undefined> {
    if (ids.size === 0) return new Map();
    const { cells } = this.rows;
    // What is not seen, too: whether a row comes into sight shows in what it was.
    const table = wholeOf(this.rows.table);
    // The rows first: all that had happened to them is in the log when it is read behind them.
    const now = await this.sources.lookup.cells(table, [...ids], cells);
    const filter = { rowIds: [...ids], fromSeq: after + 1 };
    const { entries, more } = await this.sources.history.rowsChanged(
      table.physical.schema,
      table.id,
      filter,
      TAKEN_BACK,
    );
    if (more || entries.some((change) => change.schemaVersion !== table.schemaVersion)) return undefined;
    const images = new Map<string, BeforeAndAfter>();
    for (const id of ids)
      for (const [change, image] of rowImages(
        id,
        entries.filter(({ rowId }) => rowId === id),
        now.get(id),
      ))
        images.set(placeOf(change), image);
    return images;
  }
}

const placeOf = ({ seq, ord }: Change): string => `${seq} ${ord}`;

/** As much as an event may hold at all. */
const isTellable = (changes: readonly Change[]): boolean =>
  changes[0]?.withheld === undefined && new Set(changes.map(({ rowId }) => rowId)).size <= MAX_EVENT_ROWS;
