import { columnType, type CellValue } from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';

/** In the form of a cell: of JSON whatever it is. */
export type ToldDefault = CellValue | object;

/** A default as they read it who asked for it: JSON is kept as text, and would be taken for a text when it is sent back. */
export const toldDefault = ({ type, default: kept }: Pick<ColumnEntity, 'type' | 'default'>): ToldDefault =>
  typeof kept === 'string' && columnType(type).family === 'json' ? (JSON.parse(kept) as ToldDefault) : kept;

/**
 * A default of JSON as the audit log tells it. Entries of before it told it in that form have its text, which is taken for what it says where that is an object, a list or a
 * quoted text; a number or a word may be either, and stays what it is.
 */
export function defaultOfLog(told: unknown): unknown {
  if (typeof told !== 'string' || !/^\s*[[{"]/.test(told)) return told;
  try {
    return JSON.parse(told) as unknown;
  } catch {
    return told;
  }
}
