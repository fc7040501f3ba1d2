import type { Id } from '../../common/index.js';
import { isStored, kindOf, valueType } from '../kind.js';
import type { ColumnSchema, LinkRef, TableSchema } from '../schema.js';
import { comma, ident, inlined, join, literal, sql, type Sql } from '../sql.js';
import { cellOf, elementsOf, linkedAlias, linkedRows, tablesBehind } from './cell.js';
import { ROW } from './condition.js';
import { tableName } from './read.js';

/** Begins with an underscore, which no key does: it cannot be the name of a table. */
export const readableViewName = (physicalTable: string): string => `_readable_${physicalTable}`;

/** What a row has beside its fields, under names that a person would give. */
const SYSTEM_COLUMNS = [
  ['Row id', '_id'],
  ['Version', '_version'],
  ['Created at', '_created_at'],
  ['Created by', '_created_by'],
  ['Updated at', '_updated_at'],
  ['Updated by', '_updated_by'],
] as const;

/**
 * A view of the live rows for people who look into the database: columns under their display names, choices as labels.
 * Nothing of ours reads it. It is dropped before each change of its table and made anew behind it, see {@link dropReadableView}.
 */
export function readableView(table: TableSchema & { readonly name: string }): Sql[] {
  const view = ident(table.physical.schema, readableViewName(table.physical.table));
  const cells = [...table.columns.map(readableCell), ...SYSTEM_COLUMNS.map(([, physical]) => ident(ROW, physical))];
  const names = readableColumnNames(table);
  const columns = cells.map((cell, i) => sql`${cell} as ${ident(names[i] ?? '')}`);
  return [
    sql`create view ${view} as select ${inlined(join(columns, comma))} from ${tableName(table)} ${ident(ROW)} where ${ident(ROW, '_deleted_at')} is null`,
    sql`comment on view ${view} is ${literal(table.name)}`,
  ];
}

/** Choices by label, lists in one line, linked rows by what their table shows first; all else as it is. */
function readableCell(column: ColumnSchema): Sql {
  const { list, options } = kindOf(column);
  const { derived } = column;
  if (derived?.kind === 'link') return linkedLabels(derived.link);
  const type = valueType(column);
  if (list) {
    const { from, element, order } = elementsOf(column, ROW);
    return sql`(select string_agg(${type.toText(element, options)}, ', ' order by ${order}) ${from})`;
  }
  const cell = cellOf(column, ROW);
  return type.family === 'choice' ? type.toText(cell, options) : cell;
}

/** The first column of the linked table that is stored as one value names a row; without one its id does. */
function linkedLabels(link: LinkRef): Sql {
  const { from, tie, order } = linkedRows(link, ROW);
  const row = linkedAlias(ROW);
  const label = link.target.columns.find((column) => isStored(column) && !kindOf(column).list);
  const id = sql`${ident(row, '_id')}::text`;
  const text = label ? sql`coalesce(${valueType(label).toText(cellOf(label, row), label.options)}, ${id})` : id;
  return sql`(select string_agg(${text}, ', ' order by ${order}) ${from} where ${tie})`;
}

/** The tables that a view shows something of. */
export function tablesShown(table: TableSchema): ReadonlySet<Id> {
  const linked = table.columns.flatMap(({ derived }) =>
    derived !== undefined && 'link' in derived ? [derived.link.target] : [],
  );
  return new Set([table, ...linked, ...table.columns.flatMap(tablesBehind)].map(({ id }) => id));
}

/**
 * Comes before every change of a table: PostgreSQL neither drops nor retypes a column that a view shows. `cascade`, because
 * a view that somebody built upon this one must not be able to stop the product.
 */
export const dropReadableView = (schema: string, physicalTable: string): Sql =>
  sql`drop view if exists ${ident(schema, readableViewName(physicalTable))} cascade`;

/**
 * Names of the view's columns, in its order. Display names as they are, those of fields first; what PostgreSQL would cut off is cut
 * off here, and a name that is there already gets a number.
 */
export function readableColumnNames({
  columns,
}: {
  readonly columns: readonly Pick<ColumnSchema, 'name'>[];
}): string[] {
  const taken = new Set<string>();
  return [...columns.map(({ name }) => name), ...SYSTEM_COLUMNS.map(([name]) => name)].map((name) => {
    let unique = cut(name, '');
    for (let n = 2; taken.has(unique); n++) unique = cut(name, ` (${n})`);
    taken.add(unique);
    return unique;
  });
}

/** PostgreSQL keeps 63 bytes of a name (NAMEDATALEN, manual 4.1.1). */
const MAX_BYTES = 63;

function cut(name: string, suffix: string): string {
  const room = MAX_BYTES - suffix.length;
  let kept = '';
  let bytes = 0;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > room) break;
    kept += character;
  }
  return kept + suffix;
}
