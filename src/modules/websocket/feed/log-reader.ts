import type { Id } from '../../../common/index.js';

/** One entry of the change log, as the engine hands it out. */
export interface Change {
  readonly seq: number;
  readonly ord: number;
  readonly op: 'create' | 'update' | 'delete' | 'restore' | 'schema';
  readonly rowId: Id | null;
  readonly version: number | null;
  readonly schemaVersion: number;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly at: string;
  readonly actor: { readonly id: Id | null; readonly name: string; readonly clientId?: string };
  readonly source: string;
  readonly changeSet: Id;
}

/** The end of a table's log: everything up to `seq` of this `epoch` is committed. */
export interface StreamHead {
  readonly tableId: Id;
  readonly epoch: string;
  readonly seq: number;
  readonly schemaVersion: number;
}

/** What the live feed needs of the change log. */
export interface LogReader {
  /** The heads of those tables that exist, in one query. */
  heads(schema: string, tableIds: readonly Id[]): Promise<readonly StreamHead[]>;
  /** Changes with `seq > after` in (seq, ord) order, at most `limit` whole seqs; empty when there is nothing newer. */
  read(schema: string, tableId: Id, after: number, limit: number): Promise<readonly Change[]>;
}
