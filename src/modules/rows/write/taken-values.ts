import { Problem, type Id } from '../../../common/index.js';
import { uniqueIdentityOf, type ColumnSchema, type RowOp, type TableSchema } from '../../../query/index.js';
import type { FindMatches, Indexed } from './upsert.js';

/** Among updates PostgreSQL looks at one row after the other, in an order of its own. */
type Updates = 'as if all at once' | 'one by one';

/**
 * Which ops bring a value that a unique column has already, in the table or earlier in the call. A value that the call
 * itself gives up is free: rows are deleted first, then changed, then created.
 */
export async function takenValues(
  table: TableSchema,
  ops: readonly Indexed<RowOp>[],
  find: FindMatches,
  updates: Updates,
): Promise<Map<number, Problem>> {
  const blamed = new Map<number, Problem>();
  for (const column of table.columns.filter(({ unique }) => unique)) {
    const bringing = ops.flatMap(({ index, op }) => {
      const cell = op.kind === 'delete' ? null : (op.values.get(column) ?? null);
      return cell === null || typeof cell === 'object'
        ? []
        : [{ index, op, cell, identity: uniqueIdentityOf(column, cell) }];
    });
    const holders = await find(
      [column],
      bringing.map(({ index, cell }) => ({ o: index, values: [cell] })),
    );
    const { gone, leaving } = givingUp(column, ops);
    const seen = new Set<string>();
    for (const { index, op, identity } of bringing) {
      const waits = op.kind === 'create' || updates === 'as if all at once';
      const inTheWay = (holders.get(index) ?? []).some(
        (id) => id !== op.id && !gone.has(id) && !(waits && leaving.has(id)),
      );
      if (inTheWay || seen.has(identity)) blamed.set(index, taken(column, index));
      seen.add(identity);
    }
  }
  return blamed;
}

/** Rows that the call deletes, and rows that it gives another value in this column. */
function givingUp(column: ColumnSchema, ops: readonly Indexed<RowOp>[]): { gone: Set<Id>; leaving: Set<Id> } {
  const idsOf = (which: (op: RowOp) => boolean): Set<Id> =>
    new Set(ops.flatMap(({ op }) => (which(op) ? [op.id] : [])));
  return {
    gone: idsOf(({ kind }) => kind === 'delete'),
    // One that is given the value which it has is in the way still; then two ops bring the same value, and that is seen.
    leaving: idsOf((op) => op.kind === 'update' && op.values.has(column)),
  };
}

function taken(column: ColumnSchema, index: number): Problem {
  const detail = `Another row has the same ${column.key}.`;
  return new Problem('unique_violation', {
    detail,
    errors: [{ pointer: `/ops/${index}/fields/${column.key}`, code: 'unique_violation', detail }],
  });
}
