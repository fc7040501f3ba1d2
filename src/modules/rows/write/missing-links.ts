import type { Id, ProblemItem } from '../../../common/index.js';
import { isLink, linkedIds, type TableSchema } from '../../../query/index.js';
import type { Findings, Valued } from './referents.js';
import type { Indexed } from './upsert.js';

/** Those of the rows that are there, with their versions. */
type FindRows = (table: TableSchema, ids: readonly Id[]) => Promise<ReadonlyMap<Id, number>>;

/** Which ops link to rows that are not there; for a call that is refused anyway, so without the locks of the write. */
export async function missingLinks(
  table: TableSchema,
  ops: readonly Indexed<Valued>[],
  find: FindRows,
): Promise<Findings> {
  const findings = new Map<number, ProblemItem[]>();
  for (const column of table.columns.filter(isLink)) {
    const given = ops.flatMap(({ index, op }) =>
      op.kind === 'delete' ? [] : linkedIds(op.values.get(column) ?? null).map((id) => ({ index, id })),
    );
    const there = await find(column.derived.link.target, [...new Set(given.map(({ id }) => id))]);
    for (const { index, id } of given) {
      if (there.has(id)) continue;
      const detail = `There is no row ${id} to link to.`;
      const item = { pointer: `/fields/${column.key}`, code: 'row_not_found', detail };
      findings.set(index, [...(findings.get(index) ?? []), item]);
    }
  }
  return findings;
}
