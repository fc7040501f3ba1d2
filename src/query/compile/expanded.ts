import { kindOf, valueType } from '../kind.js';
import type { ExpandedLink } from '../plan.js';
import type { ColumnSchema } from '../schema.js';
import { ident, join, literal, sql, type Sql } from '../sql.js';
import { cellOf, elementsOf, linkedAlias, linkedRows } from './cell.js';

/** JSON text of an object with the ids and titles of linked rows, by key of the link and in its order. */
export function expandedJson(alias: string, links: readonly ExpandedLink[]): Sql {
  const members = links.map(
    (each, i) => sql`${literal(`${i === 0 ? '{' : ','}"${each.column.key}":`)}, ${linkedTitles(alias, each)}`,
  );
  return members.length === 0 ? sql`'{}'` : sql`concat(${join(members, sql`, `)}, '}')`;
}

function linkedTitles(alias: string, { link, title }: ExpandedLink): Sql {
  const { from, tie, order } = linkedRows(link, alias);
  const row = linkedAlias(alias);
  const text = title ? sql`to_json(${titleText(title, row)})::text` : sql`null`;
  const entry = sql`concat('{"id":"', ${ident(row, '_id')}, '","title":', coalesce(${text}, 'null'), '}')`;
  return sql`(select concat('[', string_agg(${entry}, ',' order by ${order}), ']') ${from} where ${tie})`;
}

/** What a person reads in a cell; null where it is empty. */
export function titleText(column: ColumnSchema, alias: string): Sql {
  const { list, options } = kindOf(column);
  const type = valueType(column);
  if (!list) return type.toText(cellOf(column, alias), options);
  const { from, element, order } = elementsOf(column, alias);
  return sql`(select string_agg(${type.toText(element, options)}, ', ' order by ${order}) ${from})`;
}
