import type { ColumnSchema, Derivation, RollupFunction, TableSchema, ValueKind } from './schema.js';
import { remembered } from './remember.js';
import { columnType, type ColumnType, type Operator } from './types/index.js';

/** What the cells of a column hold: for most a value of its own type; for lookups, rollups and formulas it follows from what they are made of. */
export const kindOf = remembered((column: Pick<ColumnSchema, 'type' | 'options' | 'derived' | 'holds'>): ValueKind => {
  const { derived, type, options, holds } = column;
  if (holds) return holds;
  switch (derived?.kind) {
    case 'lookup': {
      const target = kindOf(derived.column);
      return { ...target, list: target.list || !derived.link.single };
    }
    case 'rollup':
      return rollupKind(derived);
    case 'count':
      return WHOLE;
    case 'formula':
      return derived.expression.kind;
    case 'link':
    case 'system':
    case undefined:
      return { type, list: false, ...columnType(type).cells?.(options), options };
  }
});

/** The plugin of the values of a column. */
export const valueType = (column: ColumnSchema): ColumnType => columnType(kindOf(column).type);

const WHOLE: ValueKind = { type: 'integer', options: {}, list: false };

/** What becomes of the values of a column in one value. */
export function rollupKind({ column, fn }: Pick<Extract<Derivation, { kind: 'rollup' }>, 'column' | 'fn'>): ValueKind {
  const target = kindOf(column);
  switch (fn) {
    case 'count':
    case 'countDistinct':
      return WHOLE;
    case 'concat':
      return { type: 'long_text', options: {}, list: false };
    case 'avg':
      return { type: 'decimal', options: {}, list: false };
    case 'sum':
      // A sum of whole numbers may pass 2^53, which a JSON number cannot hold.
      return columnType(target.type).bind === 'numeric' || target.type === 'duration'
        ? { ...target, list: false }
        : { type: 'decimal', options: {}, list: false };
    case 'min':
    case 'max':
      return { ...target, list: false };
  }
}

/** Whether values of this kind can be rolled up by the function. */
export function canRollUp({ type }: ValueKind, fn: RollupFunction): boolean {
  const { family, sortable = true } = columnType(type);
  switch (fn) {
    case 'count':
      return true;
    case 'countDistinct':
      return family !== 'json';
    case 'concat':
      return family !== 'json' && family !== 'id';
    case 'sum':
    case 'avg':
      return family === 'number';
    case 'min':
    case 'max':
      return sortable && family !== 'id' && family !== 'boolean';
  }
}

/** A list is never null: without elements it is empty. */
const LIST_OPERATORS: readonly Operator[] = ['isEmpty', 'isNotEmpty'];
const ELEMENT_OPERATORS: readonly Operator[] = ['hasAny', 'hasAll', 'hasNone', 'isExactly'];

/** The operators that filters may use with a column. */
export const operatorsOf = remembered((column: ColumnSchema): readonly Operator[] => {
  const { operators } = valueType(column);
  if (!kindOf(column).list) return operators;
  return operators.includes('eq') ? [...ELEMENT_OPERATORS, ...LIST_OPERATORS] : LIST_OPERATORS;
});

/** Whether people may write the cells. */
export const isWritable = ({ type, derived, locked }: Pick<ColumnSchema, 'type' | 'derived' | 'locked'>): boolean =>
  locked ? false : derived === undefined ? columnType(type).generated === undefined : derived.kind === 'link';

/** Whether the cells are in a physical column of the table. */
export const isStored = ({ derived }: Pick<ColumnSchema, 'derived'>): boolean => derived === undefined;

/** Whether the cells are texts that people write into the row itself. */
export const isTextual = (column: ColumnSchema): boolean =>
  isStored(column) && !kindOf(column).list && valueType(column).operators.includes('contains');

/** Whether people read the cells as text, one or a list of them, wherever they come from. */
export const isReadAsText = (column: ColumnSchema): boolean => valueType(column).operators.includes('contains');

/** What rows of the table are called by: their first column of text, their first column where there is none. */
export const titleColumn = ({ columns }: TableSchema): ColumnSchema | undefined =>
  columns.find(isTextual) ?? columns[0];

/** Whether rows can be looked up by a value of the column that is given to them. */
export const isMatchable = (column: ColumnSchema): boolean =>
  isStored(column) && isWritable(column) && !kindOf(column).list && valueType(column).family !== 'json';

/** Whether the default is a word for what is so when the row is made. */
export const isDynamicDefault = ({ type, default: initial }: Pick<ColumnSchema, 'type' | 'default'>): boolean =>
  initial !== null && initial === columnType(type).dynamicDefault;

/** Changes with every change of the row, also when only its links do. */
export const isStamp = ({ type }: Pick<ColumnSchema, 'type'>): boolean =>
  type === 'updated_at' || type === 'updated_by';
