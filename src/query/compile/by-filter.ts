import type { Condition } from '../plan.js';
import type { TableSchema } from '../schema.js';
import { empty, ident, integer, sql, type Sql } from '../sql.js';
import { ROW } from './condition.js';
import { tableName, visible } from './read.js';

/**
 * The rows that a condition holds for, at most so many, in id order: rows `id, version`. With `lock` nobody else changes them until the
 * transaction ends; what waited for somebody is judged as it is behind that (manual 13.2.1).
 */
export const matchingRows = (table: TableSchema, where: Condition, atMost: number, lock: boolean): Sql =>
  sql`select ${ident(ROW, '_id')}, ${ident(ROW, '_version')} from ${tableName(table)} ${ident(ROW)} where ${visible({ from: table, where })}
order by ${ident(ROW, '_id')} limit ${integer(atMost)}${lock ? sql` for update of ${ident(ROW)}` : empty}`;
