import type { Id, LentText } from '../common/index.js';
import type { ColumnSchema, Condition, GroupPlan, Position, ReadPlan, TableSchema } from '../query/index.js';

/** A page as the database made it: JSON text that goes to the client unread. */
export interface PageText {
  /** JSON texts of the rows with commas between, without brackets; empty when there is no row. */
  readonly data: string;
  /** Where the page ends, when more rows follow, or followed when the cursor was made. */
  readonly next?: Position;
  /** Where the page begins, when there are rows before it, or were when the cursor was made. */
  readonly prev?: Position;
  readonly count?: {
    readonly mode: 'bounded' | 'estimated' | 'exact';
    readonly value: number;
    readonly relation: 'exact' | 'atLeast' | 'estimate';
  };
  /** Where the table's change log stood when the page was read; only where the engine keeps one. */
  readonly stream?: { readonly epoch: string; readonly seq: number };
}

/** A page of rows. Whoever asks for it gives back what is lent of it, when it was sent. */
export interface RowsPage extends Omit<PageText, 'data'> {
  readonly data: string | LentText;
  readonly rows: number;
}

export interface RowText {
  readonly version: number;
  readonly json: string;
}

/** What an engine can do; callers ask these, never for an engine's name. */
export interface EngineCapabilities {
  /** Keeps a change log with numbers without gaps. */
  readonly changeLog: boolean;
  /** Gives rows a version, so that `If-Match` works. */
  readonly rowVersions: boolean;
}

/**
 * The one port to databases: a resolved plan in, JSON text out.
 * Implementations throw {@link SchemaMoved} when the plan was made for a structure that is gone, and Problems for all else that callers should see.
 */
export interface DataEngine {
  readonly capabilities: EngineCapabilities;
  read(plan: ReadPlan): Promise<RowsPage>;
  /** A page of groups in the place of rows. */
  readGroups(plan: GroupPlan): Promise<PageText>;
  /** @returns undefined when there is no such row within `where` */
  readOne(
    table: TableSchema,
    select: readonly ColumnSchema[],
    where: Condition,
    rowId: Id,
  ): Promise<RowText | undefined>;
}

/** The structure changed after the plan was made: reload it and plan again. Never reaches a client. */
export class SchemaMoved extends Error {
  constructor(cause?: unknown) {
    super('the schema has another version', { cause });
    this.name = 'SchemaMoved';
  }
}
