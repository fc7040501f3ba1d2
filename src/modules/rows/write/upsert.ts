import { newId, Problem, type Id } from '../../../common/index.js';
import {
  uniqueIdentityOf,
  type CellValue,
  type ColumnSchema,
  type MatchRecord,
  type TableSchema,
} from '../../../query/index.js';
import type { UnsettledOp, UpsertOp } from './bulk-request.js';

export type FindMatches = (
  columns: readonly ColumnSchema[],
  records: readonly MatchRecord[],
) => Promise<Map<number, Id[]>>;

/** An op with its place in the call. */
export interface Indexed<T> {
  readonly index: number;
  readonly op: T;
}

/**
 * Turns upserts into creates and updates by what the table holds right now. The caller holds the table's upsert lock, so
 * of two upserts of one key only the first creates.
 */
export async function decideUpserts(
  table: TableSchema,
  ops: readonly Indexed<UnsettledOp | UpsertOp>[],
  find: FindMatches,
): Promise<{ readonly ops: Indexed<UnsettledOp>[]; readonly failures: Map<number, Problem> }> {
  const found = await findAll(table, ops, find);
  const failures = new Map<number, Problem>();
  const decided: Indexed<UnsettledOp>[] = [];
  const named = new Set<string>(ops.flatMap(({ op }) => (op.kind === 'upsert' || op.kind === 'create' ? [] : [op.id])));
  for (const { index, op } of ops) {
    const outcome = op.kind === 'upsert' ? decide(op, found.get(index) ?? [], named, index) : op;
    if (outcome instanceof Problem) failures.set(index, outcome);
    else decided.push({ index, op: outcome });
  }
  return { ops: decided, failures };
}

/** One look for each set of columns that is matched on. */
async function findAll(
  table: TableSchema,
  ops: readonly Indexed<UnsettledOp | UpsertOp>[],
  find: FindMatches,
): Promise<Map<number, Id[]>> {
  const groups = new Map<string, { columns: readonly ColumnSchema[]; records: MatchRecord[] }>();
  for (const { index, op } of ops) {
    if (op.kind !== 'upsert') continue;
    const columns = table.columns.filter((column) => op.matchOn.includes(column));
    const name = columns.map(({ key }) => key).join(',');
    const group = groups.get(name) ?? { columns, records: [] };
    group.records.push({ o: index, values: columns.map((column) => op.values.get(column) ?? null) });
    groups.set(name, group);
  }
  const found = new Map<number, Id[]>();
  for (const { columns, records } of groups.values())
    for (const [index, ids] of await find(columns, records)) found.set(index, ids);
  return found;
}

function decide(op: UpsertOp, ids: readonly Id[], named: Set<string>, index: number): UnsettledOp | Problem {
  const [id, ...others] = ids;
  if (others.length > 0)
    return refusal(
      'upsert_ambiguous',
      `${ids.length} rows match; matchOn should name columns that tell rows apart.`,
      `/ops/${index}/matchOn`,
    );
  const key =
    id ??
    JSON.stringify(
      op.matchOn.map((column) => [column.key, identityOfCell(column, op.values.get(column) ?? null)]).sort(),
    );
  if (named.has(key))
    return refusal('conflict', 'An earlier operation of this call concerns the same row.', `/ops/${index}`);
  named.add(key);
  if (id !== undefined) return { kind: 'update', id, values: op.values, changes: op.changes };
  const [first] = op.asNew.errors;
  if (first) return new Problem('validation_failed', { detail: first.detail, errors: op.asNew.errors });
  return { kind: 'create', id: newId(), values: op.asNew.values };
}

/** Matching is by values that are no lists. */
const identityOfCell = (column: ColumnSchema, cell: CellValue): string =>
  typeof cell === 'object' ? '' : uniqueIdentityOf(column, cell);

const refusal = (code: 'upsert_ambiguous' | 'conflict', detail: string, pointer: string): Problem =>
  new Problem(code, { detail, errors: [{ pointer, code, detail }] });
