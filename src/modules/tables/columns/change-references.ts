import type { EntityManager } from 'typeorm';
import { invalid, type Id } from '../../../common/index.js';
import { columnType } from '../../../query/index.js';
import { BaseDraft } from '../schema/base-draft.js';
import { readStructures, type Structure } from '../schema/structure.js';
import { findColumn } from './change-column.js';
import type { UpdateColumnDto } from './column.dto.js';

/**
 * Another place that a lookup, rollup or count leads to, judged like a new one.
 * @throws Problem `validation_failed`; `lookup_cycle` among its findings, with the path
 */
export async function changeReferences(
  manager: EntityManager,
  { base, columns }: Structure,
  columnId: Id,
  input: UpdateColumnDto,
): Promise<UpdateColumnDto> {
  const before = findColumn(columns, columnId);
  const parsed = columnType(before.type).parseOptions(input.options ?? {});
  if (!parsed.ok) throw invalid([{ pointer: '/options', code: parsed.code, detail: parsed.detail }]);
  const draft = new BaseDraft(base, await readStructures(manager, base));
  draft.leadElsewhere({ ...before, options: parsed.value });
  return { ...input, options: { ...findColumn(draft.table(before.tableId).columns, columnId).options } };
}
