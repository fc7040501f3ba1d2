import type { Id, Problem } from '../../../common/index.js';
import { ValueTaken, type HeldRow, type IndexKeys } from '../../../engines/index.js';
import {
  uniqueIdentityOf,
  type CellValue,
  type ColumnSchema,
  type RowOp,
  type Scalar,
  type TableSchema,
} from '../../../query/index.js';
import { canonical } from './settle.js';
import type { FindMatches, Indexed } from './upsert.js';

/** Among updates PostgreSQL looks at one row after the other, in an order of its own. */
type Updates = 'as if all at once' | 'one by one';

/** How one looks at the rows that are there. */
export interface RowsThere {
  readonly find: FindMatches;
  /** What rows hold in these columns. */
  readonly cells: (ids: readonly Id[], columns: readonly ColumnSchema[]) => Promise<ReadonlyMap<Id, HeldRow>>;
  /** Of the indexes that were asked for. */
  readonly keys: readonly IndexKeys[];
}

/** Without the indexes that were asked for: whoever can try each op alone needs no more. */
export const uniqueColumns = (find: FindMatches): RowsThere => ({
  find,
  cells: () => Promise.resolve(new Map<Id, HeldRow>()),
  keys: [],
});

type ValuedOp = Exclude<RowOp, { readonly kind: 'delete' }>;

/** The values that a row will have in the columns of a key, none of them empty. */
interface Bringing extends Indexed<RowOp> {
  readonly values: readonly Scalar[];
}

/**
 * Which ops bring values that a unique column, or the columns of a unique index, have already, in the table or earlier in the call. Values
 * that the call itself gives up are free: rows are deleted first, then changed, then created.
 */
export async function takenValues(
  table: TableSchema,
  ops: readonly Indexed<RowOp>[],
  there: RowsThere,
  updates: Updates,
): Promise<Map<number, Problem>> {
  const blamed = new Map<number, Problem>();
  const columns = table.columns.filter(({ unique }) => unique).map((column) => [column]);
  for (const key of [...columns, ...there.keys.flatMap((index) => (index.unique ? [index.columns] : []))]) {
    const bringing = (await rowsToBe(key, ops, there)).flatMap(({ values, ...op }) =>
      values.every(isScalar) ? [{ ...op, values }] : [],
    );
    for (const index of await inTheWay(key, ops, bringing, there.find, updates)) blamed.set(index, taken(key, index));
  }
  return blamed;
}

/** The cells that rows will have in these columns, of ops that bring one of them. Rows that are gone bring nothing. */
export async function rowsToBe(
  columns: readonly ColumnSchema[],
  ops: readonly Indexed<RowOp>[],
  there: Pick<RowsThere, 'cells'>,
): Promise<(Indexed<ValuedOp> & { readonly values: readonly CellValue[] })[]> {
  const concerned = ops.flatMap(({ index, op }) =>
    op.kind !== 'delete' && columns.some((column) => op.values.has(column)) ? [{ index, op }] : [],
  );
  const inPart = concerned.filter(({ op }) => op.kind !== 'create' && columns.some((each) => !op.values.has(each)));
  const held =
    inPart.length === 0
      ? new Map<Id, HeldRow>()
      : await there.cells(
          inPart.map(({ op }) => op.id),
          columns,
        );
  return concerned.map(({ index, op }) => {
    const fields = held.get(op.id)?.fields ?? {};
    return { index, op, values: columns.map((each) => op.values.get(each) ?? stays(op, each, fields)) };
  });
}

const stays = ({ values }: ValuedOp, column: ColumnSchema, held: HeldRow['fields']): CellValue =>
  values.has(column) ? null : canonical(held[column.key], column);

async function inTheWay(
  key: readonly ColumnSchema[],
  ops: readonly Indexed<RowOp>[],
  bringing: readonly Bringing[],
  find: FindMatches,
  updates: Updates,
): Promise<number[]> {
  const holders = await find(
    key,
    bringing.map(({ index, values }) => ({ o: index, values })),
  );
  const { gone, leaving } = givingUp(key, ops);
  const seen = new Set<string>();
  return bringing.flatMap(({ index, op, values }) => {
    const waits = op.kind === 'create' || updates === 'as if all at once';
    const isHeld = (holders.get(index) ?? []).some(
      (id) => id !== op.id && !gone.has(id) && !(waits && leaving.has(id)),
    );
    const identity = JSON.stringify(key.map((column, i) => uniqueIdentityOf(column, values[i] ?? '')));
    const isTaken = isHeld || seen.has(identity);
    seen.add(identity);
    return isTaken ? [index] : [];
  });
}

/** Rows that the call deletes, and rows that it gives other values in these columns. */
function givingUp(
  key: readonly ColumnSchema[],
  ops: readonly Indexed<RowOp>[],
): { readonly gone: Set<Id>; readonly leaving: Set<Id> } {
  const idsOf = (which: (op: RowOp) => boolean): Set<Id> =>
    new Set(ops.flatMap(({ op }) => (which(op) ? [op.id] : [])));
  return {
    gone: idsOf(({ kind }) => kind === 'delete'),
    // One that is given the values which it has is in the way still; then two ops bring the same values, and that is seen.
    leaving: idsOf((op) => op.kind === 'update' && key.some((column) => op.values.has(column))),
  };
}

const isScalar = (cell: CellValue): cell is Scalar => cell !== null && typeof cell !== 'object';

function taken(key: readonly ColumnSchema[], index: number): Problem {
  return new ValueTaken(key, `/ops/${index}/fields`);
}
