import type { Id } from '../../common/index.js';
import type { CellValue, ColumnSchema, LinkRef, TableSchema } from '../schema.js';
import type { RowOp } from '../write-plan.js';
import { remembered } from '../remember.js';
import { ident, literal, sql, type Sql } from '../sql.js';
import { tail } from './ddl.js';
import { tableName } from './read.js';

/** A link to be made: which tables, how many rows at each end, and the names of the columns that show it. */
export interface NewLink {
  readonly through: string;
  readonly source: TableSchema;
  readonly target: TableSchema;
  /** At most one target for each source. */
  readonly single: boolean;
}

/** Name of the table of a link, within the 63 bytes that PostgreSQL keeps of one: readable, and unlike that of any other table of the base. */
export const linkTableName = (
  table: { readonly key: string },
  column: { readonly id: string; readonly key: string },
): string => `_link_${table.key.slice(0, 21)}_${column.key.slice(0, 21)}_${tail(column.id)}`;

/**
 * The pairs of a link, each once, with the place of each end in the list of the other. Constraints are checked at the commit,
 * so that a row and its links may be written in any order.
 */
export function createLinkTable({ through, source, target, single }: NewLink, name: string): Sql[] {
  const table = ident(source.physical.schema, through);
  const end = (of: TableSchema): Sql =>
    sql`uuid not null references ${tableName(of)} (_id) on delete cascade deferrable initially deferred`;
  return [
    sql`create table ${table} (
      source_id ${end(source)}, target_id ${end(target)}, source_order integer not null, target_order integer not null,
      primary key (source_id, target_id))`,
    sql`create index on ${table} (target_id, target_order, source_id)`,
    single
      ? sql`create unique index on ${table} (source_id)`
      : sql`create index on ${table} (source_id, source_order, target_id)`,
    sql`comment on table ${table} is ${literal(name)}`,
  ];
}

/** Removes the pairs of a link for good, whichever of its ends asks for it first. */
export const dropLinkTable = (schema: string, through: string): Sql =>
  sql`drop table if exists ${ident(schema, through)}`;

/** Whether a column shows a link. */
export const isLink = (
  column: ColumnSchema,
): column is ColumnSchema & { readonly derived: { readonly kind: 'link'; readonly link: LinkRef } } =>
  column.derived?.kind === 'link';

/** The rows that a cell of a link names. */
export const linkedIds = (cell: unknown): readonly Id[] => (Array.isArray(cell) ? (cell as readonly Id[]) : []);

/** The columns of a table that show links. */
export const linkColumnsOf = remembered((table: TableSchema) => table.columns.filter(isLink));

/** What an op does to values, as far as it is known. */
type Valued = RowOp | { readonly kind: 'upsert'; readonly values: ReadonlyMap<ColumnSchema, CellValue> };

/** Whether a write has to look at links: it sets some, or deletes a row that may have some. */
export const concernsLinks = (table: TableSchema, ops: readonly Valued[]): boolean =>
  linkColumnsOf(table).length > 0 &&
  ops.some((op) => op.kind === 'delete' || [...op.values.keys()].some(({ derived }) => derived?.kind === 'link'));
