import { Problem } from '../../common/index.js';
import { NEW_FORMULAS, sizeOfAll } from '../compile/formula/size.js';
import { isReadAsText, isStored, kindOf, valueType } from '../kind.js';
import type { Condition } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { foldCase, parseWellFormed } from '../types/text.js';

export const MAX_SEARCH = 200;
export const MAX_SEARCH_WORDS = 10;

/**
 * Rows in which each of the words, separated by white space, is found in some column that people read as text, or in one text of a list;
 * the letter case is ignored. Ordinary conditions, so that indexes for `contains` serve them where all columns are stored.
 * `isSearchable` says what a source can look into; whoever searches means the rest then.
 * @throws Problem `validation_failed`
 */
export function resolveSearch(
  search: string,
  table: TableSchema,
  isSearchable: (column: ColumnSchema) => boolean = () => true,
): Condition {
  const text = parseWellFormed(search);
  if (!text.ok) throw refuse(text.code, text.detail);
  const words = text.value.split(/\s+/u).filter((word) => word !== '');
  if (words.length === 0 || [...search].length > MAX_SEARCH)
    throw refuse('search_length', `search takes 1 to ${MAX_SEARCH} characters, not all of them white space.`);
  if (words.length > MAX_SEARCH_WORDS)
    throw refuse('too_many_words', `search takes at most ${MAX_SEARCH_WORDS} words.`);
  const columns = table.columns.filter(isSearchable);
  const possible = wordsPossible(columns);
  if (words.length > possible)
    throw refuse('too_many_words', `The formulas here are so long that search takes at most ${possible} words.`);
  return { kind: 'and', items: words.map((word) => somewhere(word, columns)) };
}

/** A statement says a formula as often as there are words to be found in it. */
function wordsPossible(columns: readonly ColumnSchema[]): number {
  const size = sizeOfAll(columns.filter(isReadAsText));
  return Math.max(1, Math.floor(NEW_FORMULAS.together / Math.max(1, size)));
}

function somewhere(word: string, columns: readonly ColumnSchema[]): Condition {
  // What is written in the row is looked at first: what is computed costs more.
  const inOrder = [...columns.filter(isStored), ...columns.filter((column) => !isStored(column))];
  const items = inOrder.flatMap((column) => within(column, word) ?? []);
  return items.length === 0 ? { kind: 'not', item: { kind: 'true' } } : { kind: 'or', items };
}

/** How the word is found in cells of the column; undefined where it cannot be. Of a choice people know the label. */
function within(column: ColumnSchema, word: string): Condition | undefined {
  if (isReadAsText(column)) return { kind: 'match', column, mode: 'contains', text: word };
  if (valueType(column).family !== 'choice') return undefined;
  const { list, options } = kindOf(column);
  const part = foldCase(word);
  const values = (options.choices ?? []).flatMap(({ key, label }) => (foldCase(label).includes(part) ? [key] : []));
  if (values.length === 0) return undefined;
  return list ? { kind: 'list', column, op: 'any', values } : { kind: 'oneOf', column, values };
}

const refuse = (code: string, detail: string): Problem =>
  new Problem('validation_failed', { detail, errors: [{ pointer: '/search', code, detail }] });
