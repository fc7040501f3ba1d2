import type { ColumnSchema, ColumnTypeName, Scalar } from '../schema.js';
import { attachment } from './attachment.js';
import { autonumber } from './autonumber.js';
import { boolean } from './boolean.js';
import type { ColumnType } from './column-type.js';
import { count, formula, lookup, rollup } from './computed.js';
import { currency } from './currency.js';
import { duration } from './duration.js';
import { email } from './email.js';
import { json } from './json.js';
import { link } from './link.js';
import { multiSelect } from './multi-select.js';
import { decimal, integer } from './number.js';
import { percent } from './percent.js';
import { phone } from './phone.js';
import { rating } from './rating.js';
import { singleSelect } from './single-select.js';
import { createdAt, createdBy, updatedAt, updatedBy } from './system.js';
import { longText, text } from './text.js';
import { date, datetime } from './time.js';
import { url } from './url.js';
import { user } from './user.js';

const TYPES: Readonly<Record<ColumnTypeName, ColumnType>> = {
  text,
  long_text: longText,
  integer,
  decimal,
  currency,
  percent,
  rating,
  duration,
  boolean,
  date,
  datetime,
  single_select: singleSelect,
  multi_select: multiSelect,
  user,
  attachment,
  json,
  url,
  email,
  phone,
  autonumber,
  link,
  lookup,
  rollup,
  count,
  formula,
  created_at: createdAt,
  updated_at: updatedAt,
  created_by: createdBy,
  updated_by: updatedBy,
};

/** The plugin of a column type. */
export const columnType = (name: ColumnTypeName): ColumnType => TYPES[name];

/** Text that two canonical values of a type share exactly when they are equal. */
export const identityOf = ({ type }: Pick<ColumnSchema, 'type'>, value: Scalar): string =>
  columnType(type).identity?.(value) ?? String(value);

/** Text that two canonical values of a type share exactly when a unique column holds one of them only. */
export const uniqueIdentityOf = (column: Pick<ColumnSchema, 'type'>, value: Scalar): string =>
  columnType(column.type).uniqueKey?.of(value) ?? identityOf(column, value);

export * from './column-type.js';
export * from './label.js';
export { readJsonText } from './json-text.js';
