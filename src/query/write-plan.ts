import type { Id } from '../common/index.js';
import type { CellValue, ColumnSchema } from './schema.js';

/** A change of one row, resolved: columns are the schema's own, values canonical. */
export type RowOp =
  | { readonly kind: 'create'; readonly id: Id; readonly values: ReadonlyMap<ColumnSchema, CellValue> }
  | {
      readonly kind: 'update';
      readonly id: Id;
      readonly expectedVersion?: number;
      readonly values: ReadonlyMap<ColumnSchema, CellValue>;
      /** What becomes of its links, for the log; they are changed beside the row. */
      readonly links?: LinkChange;
      /** The row was set aside by the same transaction, and comes back with these values; so it is with all ops of the write then. */
      readonly aside?: true;
    }
  | {
      readonly kind: 'delete';
      readonly id: Id;
      readonly expectedVersion?: number;
      /** The links that it had, for the log; they are taken away beside the row. */
      readonly links?: LinkChange;
    }
  /** Out of the trash, with the values that it had, but for these. Of links, which it lost when it was deleted, there are new ones only. */
  | { readonly kind: 'restore'; readonly id: Id; readonly values: ReadonlyMap<ColumnSchema, CellValue> };

/** Link fields of a row that change, by column key: all rows of the link, or what is added and removed where they are many. */
export interface LinkChange {
  readonly before: Readonly<Record<string, LinkValue>>;
  readonly after: Readonly<Record<string, LinkValue>>;
}
export type LinkValue = readonly Id[] | { readonly $add: readonly Id[]; readonly $remove: readonly Id[] };

/** Who makes a change, how, and as part of what. Goes into the change log as it is. */
export interface WriteContext {
  readonly actorId: Id | null;
  readonly actorName: string;
  readonly clientId?: string;
  readonly requestId: string;
  /** Address that the request came from; absent where there was none. */
  readonly ip?: string;
  readonly source: 'api' | 'import' | 'system' | 'revert' | 'undo' | 'redo';
  /** Of a revert, an undo or a redo: the change set that it undoes, where that is one. */
  readonly revertOf?: Id;
  /** Groups what was done as one act; history and revert work on it. */
  readonly changeSet: Id;
}

/**
 * Changes that take one number of the table's stream together. No row occurs twice.
 * `atomic`: if any op cannot be done, none is; otherwise those that can are.
 */
export interface RowWrite {
  readonly context: WriteContext;
  readonly atomic: boolean;
  /** Nobody asks for the rows as they are now, so they are not made. */
  readonly quiet?: true;
  readonly ops: readonly RowOp[];
}
