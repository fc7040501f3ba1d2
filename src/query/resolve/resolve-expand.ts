import { Problem } from '../../common/index.js';
import { titleColumn } from '../kind.js';
import type { ExpandedLink } from '../plan.js';
import { columnByKey, type TableSchema } from '../schema.js';

export const MAX_EXPAND = 10;

/**
 * The links whose rows are shown by their titles, see {@link titleColumn}.
 * @throws Problem `validation_failed`
 */
export function resolveExpand(keys: readonly string[], table: TableSchema): readonly ExpandedLink[] {
  if (keys.length > MAX_EXPAND) throw refuse('too_many_keys', `At most ${MAX_EXPAND} links are expanded.`);
  return keys.map((key, i) => {
    const shown = JSON.stringify(key.slice(0, 60));
    const column = columnByKey(table, key);
    if (column?.derived?.kind !== 'link')
      throw refuse(column ? 'not_a_link' : 'unknown_field', `There is no link ${shown}.`);
    if (keys.indexOf(key) !== i) throw refuse('duplicate_key', `${shown} occurs twice.`);
    const { link } = column.derived;
    const title = titleColumn(link.target);
    return { column, link, ...(title ? { title } : {}) };
  });
}

const refuse = (code: string, detail: string): Problem =>
  new Problem('validation_failed', { detail, errors: [{ pointer: '/expand', code, detail }] });
