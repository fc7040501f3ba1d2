import { Problem, type Id, type ProblemItem } from '../../../common/index.js';
import type { HeldRow } from '../../../engines/index.js';
import type { ColumnSchema, RowOp } from '../../../query/index.js';
import type { UnsettledOp } from './bulk-request.js';
import { canonical, settle } from './settle.js';
import type { Indexed } from './upsert.js';

/** Locks rows, and says what they hold in these columns. */
type Hold = (ids: readonly Id[], columns: readonly ColumnSchema[]) => Promise<ReadonlyMap<Id, HeldRow>>;

/** Gives the ops of a bulk call the values that depend on what their rows hold. Whose row is not there stays as it is, for the write to say. */
export async function settleOps(
  ops: readonly Indexed<UnsettledOp>[],
  hold: Hold,
): Promise<{ readonly ops: Indexed<RowOp>[]; readonly failures: Map<number, Problem> }> {
  const failures = new Map<number, Problem>();
  const open = ops.filter(({ op }) => changesOf(op).size > 0);
  const columns = new Set(open.flatMap(({ op }) => [...changesOf(op).keys()]));
  const held = await hold(
    open.map(({ op }) => op.id),
    [...columns],
  );
  const settled = ops.flatMap(({ index, op }): Indexed<RowOp>[] => {
    const row = held.get(op.id);
    if (!row || op.kind !== 'update') return [{ index, op }];
    const errors: ProblemItem[] = [];
    const current = (column: ColumnSchema) => canonical(row.fields[column.key], column);
    const values = settle(changesOf(op), current, `/ops/${index}/fields`, errors);
    if (errors.length === 0) return [{ index, op: { ...op, values: new Map([...op.values, ...values]) } }];
    failures.set(index, new Problem('validation_failed', { detail: errors[0]?.detail, errors }));
    return [];
  });
  return { ops: settled, failures };
}

const NONE: NonNullable<UnsettledOp['changes']> = new Map();
export const changesOf = (op: { readonly changes?: UnsettledOp['changes'] }): NonNullable<UnsettledOp['changes']> =>
  op.changes ?? NONE;
