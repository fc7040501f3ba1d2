import { asker, inSharedSpan, type Asker, type Id } from '../../common/index.js';
import type { ColumnSchema, Condition, TableSchema } from '../../query/index.js';
import type { RowText } from '../data-engine.js';

/** What is asked of rows, whichever they are. */
export interface RowQuestion {
  readonly table: TableSchema;
  readonly select: readonly ColumnSchema[];
  readonly where: Condition;
}

/** Reads these rows of a table; those that are not there are left out. */
export type ReadRows = (question: RowQuestion, ids: readonly Id[]) => Promise<ReadonlyMap<Id, RowText>>;

interface Batch {
  readonly question: RowQuestion;
  readonly ids: Set<Id>;
  readonly askers: Asker[];
  readonly rows: Promise<ReadonlyMap<Id, RowText>>;
}

/** Rows that one statement reads at most: those who ask wait for the slowest among them. */
const MAX_ROWS = 50;

/**
 * Rows that are asked for one by one, in one turn of the event loop, are read by one statement: under load it costs the
 * database little more than a single one does. Who asks alone waits for the end of the turn and for nothing else. Nothing is
 * kept: each statement begins behind the requests that it answers.
 */
export class GatheredRows {
  private batches: Batch[] = [];

  constructor(private readonly readRows: ReadRows) {}

  /** @returns undefined when there is no such row; rejects, for all who asked together, with what the statement failed with */
  async read(question: RowQuestion, rowId: Id): Promise<RowText | undefined> {
    const batch = this.batches.find((each) => each.ids.size < MAX_ROWS && isSame(each.question, question));
    const { ids, rows, askers } = batch ?? this.begin(question);
    ids.add(rowId);
    askers.push(asker());
    return (await rows).get(rowId);
  }

  private begin(question: RowQuestion): Batch {
    const ids = new Set<Id>();
    const askers: Asker[] = [];
    const rows = this.endOfTurn().then(() =>
      inSharedSpan(
        askers,
        'rows.gather',
        { 'live_tables.table_id': question.table.id, 'live_tables.rows': ids.size },
        () => this.readRows(question, [...ids]),
      ),
    );
    const batch = { question, ids, askers, rows };
    this.batches.push(batch);
    return batch;
  }

  private endOfTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.batches = [];
        resolve();
      });
    });
  }
}

/** By identity: metadata and conditions that stand for everything are the same objects in all requests. */
const isSame = (a: RowQuestion, b: RowQuestion): boolean =>
  a.table === b.table && a.select === b.select && a.where === b.where;
