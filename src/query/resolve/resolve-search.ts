import { Problem } from '../../common/index.js';
import { isTextual, kindOf, valueType } from '../kind.js';
import type { Condition } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { foldCase, parseWellFormed } from '../types/text.js';

export const MAX_SEARCH = 200;
export const MAX_SEARCH_WORDS = 10;

/**
 * Rows in which each of the words, separated by white space, is found in some column that people read as text; the letter case is
 * ignored. Ordinary conditions, so that indexes for `contains` serve them.
 * @throws Problem `validation_failed`
 */
export function resolveSearch(search: string, table: TableSchema): Condition {
  const text = parseWellFormed(search);
  if (!text.ok) throw refuse(text.code, text.detail);
  const words = text.value.split(/\s+/u).filter((word) => word !== '');
  if (words.length === 0 || [...search].length > MAX_SEARCH)
    throw refuse('search_length', `search takes 1 to ${MAX_SEARCH} characters, not all of them white space.`);
  if (words.length > MAX_SEARCH_WORDS)
    throw refuse('too_many_words', `search takes at most ${MAX_SEARCH_WORDS} words.`);
  return { kind: 'and', items: words.map((word) => somewhere(word, table)) };
}

function somewhere(word: string, { columns }: TableSchema): Condition {
  const items = columns.flatMap((column) => within(column, word) ?? []);
  return items.length === 0 ? { kind: 'not', item: { kind: 'true' } } : { kind: 'or', items };
}

/** How the word is found in cells of the column; undefined where it cannot be. Of a choice people know the label. */
function within(column: ColumnSchema, word: string): Condition | undefined {
  if (isTextual(column)) return { kind: 'match', column, mode: 'contains', text: word };
  if (column.derived !== undefined || valueType(column).family !== 'choice') return undefined;
  const { list, options } = kindOf(column);
  const part = foldCase(word);
  const values = (options.choices ?? []).flatMap(({ key, label }) => (foldCase(label).includes(part) ? [key] : []));
  if (values.length === 0) return undefined;
  return list ? { kind: 'list', column, op: 'any', values } : { kind: 'oneOf', column, values };
}

const refuse = (code: string, detail: string): Problem =>
  new Problem('validation_failed', { detail, errors: [{ pointer: '/search', code, detail }] });
