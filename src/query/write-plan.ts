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
    }
  | { readonly kind: 'delete'; readonly id: Id; readonly expectedVersion?: number };

/** Who makes a change, how, and as part of what. Goes into the change log as it is. */
export interface WriteContext {
  readonly actorId: Id | null;
  readonly actorName: string;
  readonly clientId?: string;
  readonly requestId: string;
  readonly source: 'api' | 'system';
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
  readonly ops: readonly RowOp[];
}
