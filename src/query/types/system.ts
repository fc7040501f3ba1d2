import { accepted, type ColumnType } from './column-type.js';
import { knownOptions } from './options.js';
import { datetime } from './time.js';
import { user } from './user.js';

const noOptions: ColumnType['parseOptions'] = (input) => knownOptions(input, []) ?? accepted({});

const instant = (name: 'created_at' | 'updated_at', summary: string): ColumnType => ({
  ...datetime,
  name,
  summary,
  cells: () => ({ type: 'datetime', list: false }),
  uniquable: false,
  parseOptions: noOptions,
});

const person = (name: 'created_by' | 'updated_by', summary: string): ColumnType => ({
  ...user,
  name,
  summary,
  cells: () => ({ type: 'user', list: false }),
  uniquable: false,
  parseOptions: noOptions,
});

export const createdAt = instant('created_at', 'When the row was made; cannot be written.');
export const updatedAt = instant('updated_at', 'When the row was changed last; cannot be written.');
export const createdBy = person('created_by', 'Who made the row; cannot be written.');
export const updatedBy = person('updated_by', 'Who changed the row last; cannot be written.');
