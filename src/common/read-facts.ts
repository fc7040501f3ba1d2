/** A read as operators are told of it. */
export interface ReadFacts {
  /** The shape of its plan, without values. */
  readonly plan: string;
  /** Rows, or groups, of the answer. */
  readonly rows: number;
}
