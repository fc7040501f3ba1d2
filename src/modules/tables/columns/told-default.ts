import { columnType, type CellValue } from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';

/** In the form of a cell: of JSON whatever it is. */
export type ToldDefault = CellValue | object;

/** A default as they read it who asked for it: JSON is kept as text, and would be taken for a text when it is sent back. */
export const toldDefault = ({ type, default: kept }: Pick<ColumnEntity, 'type' | 'default'>): ToldDefault =>
  typeof kept === 'string' && columnType(type).family === 'json' ? (JSON.parse(kept) as ToldDefault) : kept;
