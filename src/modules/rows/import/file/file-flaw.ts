/** What makes a file unreadable from a line on; `line` counts the lines of the file from 1. */
export class FileFlaw extends Error {
  constructor(
    readonly line: number,
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail);
    this.name = 'FileFlaw';
  }
}

/** What is wrong with one place of a file. */
export interface Flaw {
  /** What the file calls the column, or the key of it. */
  readonly column?: string;
  readonly code: string;
  readonly detail: string;
}
