/** A statement with its values, as the query core makes it. */
export interface PgStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** How long its answer is waited for, where that is longer than for others; `statement_timeout` has to allow it too. */
  readonly timeoutMs?: number;
  /**
   * Asks for all values in binary form and reads the first, of type `bytea`, into what then stands in its place; the others have to be texts. What it is
   * given is a view of the memory that was received, and gone when it returns.
   */
  readonly bytes?: (bytes: Buffer) => string;
}

/** A result row: PostgreSQL's own text of each value, untouched, so that no number loses a digit. */
export type PgRow = readonly (string | null)[];
