import { invalid, pointer, Problem } from '../../../common/index.js';
import { ENTRY_BYTES, type CellValue, type RowOp } from '../../../query/index.js';
import { rowsToBe, type RowsThere } from './taken-values.js';
import type { Indexed } from './upsert.js';

/** Code of the item that says that an index has no room for values. */
const CODE = 'too_long_for_index';

export const isTooLong = (error: unknown): error is Problem =>
  error instanceof Problem && (error.errors ?? []).some(({ code }) => code === CODE);

/**
 * Which ops an index has no room for, each at the longest value that it brings. PostgreSQL presses values
 * together before it counts, so of ops that are as long some may fit; which, only trying would tell.
 */
export async function tooLongValues(
  ops: readonly Indexed<RowOp>[],
  there: Pick<RowsThere, 'cells' | 'keys'>,
): Promise<Map<number, Problem>> {
  const found = new Map<number, Problem>();
  for (const { columns } of there.keys)
    for (const { index, op, values } of await rowsToBe(columns, ops, there)) {
      const sizes = columns.map((column, i) => ({ column, bytes: bytesOf(values[i] ?? null) }));
      if (sizes.reduce((sum, { bytes }) => sum + bytes, 0) <= ENTRY_BYTES) continue;
      const [longest] = sizes.filter(({ column }) => op.values.has(column)).sort((a, b) => b.bytes - a.bytes);
      if (!longest) continue;
      const names = columns.map(({ key }) => key).join(', ');
      const detail = `Too long for the index of ${names}: its values have at most ${ENTRY_BYTES} bytes together.`;
      const at = `/ops/${index}/fields${pointer(longest.column.key)}`;
      found.set(index, invalid([{ pointer: at, code: CODE, detail }]));
    }
  return found;
}

const bytesOf = (cell: CellValue): number => (typeof cell === 'string' ? Buffer.byteLength(cell) : 8);
