import type { ColumnEntity } from './column.entity.js';

/** As the audit log shows it. */
export const viewColumn = (column: ColumnEntity): object => {
  const { key, name, description, type, required, unique, default: initial, options, position } = column;
  return { key, name, description, type, required, unique, default: initial, options, position };
};
