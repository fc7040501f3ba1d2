import { pointer, Problem } from '../../common/index.js';
import type { ColumnSchema, TableSchema } from '../../query/index.js';

/** Another row has the values of a unique column, or of the columns of a unique index. */
export class ValueTaken extends Problem {
  /**
   * @param columns as far as they may be named
   * @param at pointer to the fields of the row
   * @param inPart whether there are further columns
   */
  constructor(
    private readonly columns: readonly ColumnSchema[],
    private readonly at: string,
    cause?: unknown,
    inPart = columns.length === 0,
  ) {
    const what = inPart ? 'values in a unique index' : columns.map(({ key }) => key).join(', ');
    const detail = `Another row has the same ${what}.`;
    const place = at + (columns[0] ? pointer(columns[0].key) : '');
    super('unique_violation', { detail, errors: [{ pointer: place, code: 'unique_violation', detail }], cause });
  }

  /** The same for somebody who sees the table like this: of columns that are hidden from him he is not told. */
  seenIn(table: TableSchema): ValueTaken {
    const seen = this.columns.filter(({ id }) => table.columns.some((column) => column.id === id));
    return seen.length === this.columns.length ? this : new ValueTaken(seen, this.at, this.cause, true);
  }
}

/** A refusal as it may be told to somebody who sees the table like this. */
export const toldTo = (table: TableSchema, problem: Problem): Problem =>
  problem instanceof ValueTaken ? problem.seenIn(table) : problem;
