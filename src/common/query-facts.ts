/** What a database was asked to do for a request, as operators are told of it. */
export interface QueryFacts {
  readonly kind: 'read' | 'write';
  /** The shape of the plan, without values. */
  readonly plan: string;
  /** Rows, or groups, of the answer; of a write those that it was to change. */
  readonly rows: number;
  /** Where the caller has none by his rights, as whoever reads a published view. */
  readonly workspaceId?: string;
}

/** How long the databases worked for an answer, and what at. */
export interface DatabaseWork {
  /** Milliseconds; go into `Server-Timing` as `db`. */
  readonly databaseMs?: number;
  /** Told of work that was slow, and not made up before. */
  readonly queryFacts?: () => QueryFacts;
}
