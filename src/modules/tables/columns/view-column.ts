import type { ColumnEntity } from './column.entity.js';
import { toldDefault } from './told-default.js';

/** As the audit log shows it. */
export const viewColumn = (column: ColumnEntity): object => {
  const { key, name, description, type, required, unique, options, position } = column;
  return { key, name, description, type, required, unique, default: toldDefault(column), options, position };
};
