import type { CellValue, ColumnSchema, ColumnTypeName } from '../schema.js';
import type { ColumnType } from './column-type.js';
import { boolean } from './boolean.js';
import { decimal, integer } from './number.js';
import { singleSelect } from './single-select.js';
import { longText, text } from './text.js';
import { date, datetime } from './time.js';

const TYPES: Readonly<Record<ColumnTypeName, ColumnType>> = {
  text,
  long_text: longText,
  integer,
  decimal,
  boolean,
  date,
  datetime,
  single_select: singleSelect,
};

/** The plugin of a column type. */
export const columnType = (name: ColumnTypeName): ColumnType => TYPES[name];

/** Text that two canonical values of a column share exactly when they are equal. */
export const identityOf = ({ type }: Pick<ColumnSchema, 'type'>, value: CellValue): string =>
  columnType(type).identity?.(value) ?? String(value);

export * from './column-type.js';
