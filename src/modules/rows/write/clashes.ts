import { Injectable } from '@nestjs/common';
import { Problem, type ProblemItem } from '../../../common/index.js';
import { MiniDbLookup, MiniDbWriter, toldTo } from '../../../engines/index.js';
import type { RowOp, TableSchema, WriteContext } from '../../../query/index.js';
import { isRefusedByDatabase, RefusedOps } from './refused-ops.js';
import { takenValues, type RowsThere } from './taken-values.js';
import { isTooLong, tooLongValues } from './too-long.js';
import type { Indexed } from './upsert.js';

/** Finds out which ops of a write it was that PostgreSQL refused for what they hold: it says only that there is one. */
@Injectable()
export class Clashes {
  constructor(
    private readonly lookup: MiniDbLookup,
    private readonly writer: MiniDbWriter,
  ) {}

  /** Whether a refusal is of the kind that {@link blamed} knows. */
  static isOne(error: unknown): error is Problem {
    return (
      error instanceof Problem && (error.code === 'unique_violation' || isTooLong(error) || isRefusedByDatabase(error))
    );
  }

  /** Those that would be refused, if all of them were tried at once; told to whoever sees the table as `seen`. */
  async foreseen(
    table: TableSchema,
    ops: readonly Indexed<RowOp>[],
    seen: TableSchema,
  ): Promise<ReadonlyMap<number, Problem>> {
    return allToldTo(seen, await takenValues(table, ops, await this.there(table), 'as if all at once'));
  }

  /** Those that a refusal is about; those first that can be done in no order. None, where what was in the way is gone again. */
  async blamed(
    table: TableSchema,
    ops: readonly Indexed<RowOp>[],
    error: Problem,
    seen: TableSchema,
    context: WriteContext,
  ): Promise<ReadonlyMap<number, Problem>> {
    if (isRefusedByDatabase(error)) return new RefusedOps(this.writer, table, context).among(ops);
    const there = await this.there(table);
    if (isTooLong(error)) return tooLongValues(ops, there);
    const certain = await takenValues(table, ops, there, 'as if all at once');
    return allToldTo(seen, certain.size > 0 ? certain : await takenValues(table, ops, there, 'one by one'));
  }

  /** The same refusal of one op alone, that says as much as can be said. */
  async ofOne(table: TableSchema, op: RowOp, error: Problem, seen: TableSchema): Promise<Problem> {
    if (!isTooLong(error)) return toldTo(seen, error);
    const found = (await tooLongValues([{ index: 0, op }], await this.there(table))).get(0);
    return found
      ? new Problem(found.code, { detail: found.message, errors: below(found, '/ops/0', ''), cause: error })
      : error;
  }

  private async there(table: TableSchema): Promise<RowsThere> {
    return {
      find: (columns, records) => this.lookup.matches(table, columns, records),
      cells: (ids, columns) => this.lookup.cells(table, ids, columns),
      keys: await this.lookup.indexKeys(table),
    };
  }
}

const allToldTo = (seen: TableSchema, problems: ReadonlyMap<number, Problem>): ReadonlyMap<number, Problem> =>
  new Map([...problems].map(([index, problem]) => [index, toldTo(seen, problem)]));

/** A refusal of which nobody can tell the op. */
export const ofSomeOp = (problem: Problem): Problem =>
  new Problem(problem.code, { detail: problem.message, errors: below(problem, '/fields', '/ops'), cause: problem });

const below = ({ errors = [] }: Problem, from: string, to: string): ProblemItem[] =>
  errors.map((item) => ({ ...item, pointer: to + item.pointer.slice(from.length) }));
