import { kindOf, valueType } from '../kind.js';
import type { ColumnSchema, Derivation } from '../schema.js';
import { columnType, type Place } from '../types/index.js';
import { comma, join, literal, sql, type Sql } from '../sql.js';
import { aggregate, cellOf, linkedAlias, linkedRows, valueJson } from './cell.js';

/*
 * Lookups and rollups that stand side by side and go through the same link are read in one pass over the linked rows: the
 * time of a page lies in finding those rows, not in what is made of them.
 */

type Through = Extract<Derivation, { kind: 'lookup' | 'rollup' }>;
type Group = readonly [ColumnSchema, ...ColumnSchema[]];

/** The columns in their order, those together that one pass over linked rows can answer. */
export function inOnePass(columns: readonly ColumnSchema[]): readonly Group[] {
  const groups: [ColumnSchema, ...ColumnSchema[]][] = [];
  for (const column of columns) {
    const group = groups.at(-1);
    if (group && together(group[0], column)) group.push(column);
    else groups.push([column]);
  }
  return groups;
}

function together(first: ColumnSchema, next: ColumnSchema): boolean {
  const [one, other] = [shareable(first)?.link, shareable(next)?.link];
  if (!one || !other) return false;
  return one.through === other.through && one.end === other.end;
}

/** Only what passes over empty values by itself: in one pass no condition can leave their rows out for one column alone. */
function shareable(column: ColumnSchema): Through | undefined {
  const { derived } = column;
  if (derived?.kind !== 'lookup' && derived?.kind !== 'rollup') return undefined;
  if (kindOf(derived.column).list) return undefined;
  if (derived.kind === 'lookup') return kindOf(column).list ? derived : undefined;
  return skipsEmpty(derived) ? derived : undefined;
}

function skipsEmpty({ column, fn }: Extract<Derivation, { kind: 'rollup' }>): boolean {
  const { type, options } = kindOf(column);
  switch (fn) {
    case 'sum':
    case 'avg':
    case 'countDistinct':
      return true;
    case 'min':
    case 'max':
      return columnType(type).orderKey?.(sql`null`, options) === undefined;
    case 'count':
    case 'concat':
      return false;
  }
}

/** JSON text of the cells of a group, with the keys of all but the first between them. */
export function sharedJson(group: Group, alias: string, place: Place): Sql {
  const row = linkedAlias(alias);
  const { from, tie, order } = linkedRows(sharing(group[0]).link, alias);
  const parts = group.map((column, i) => {
    const through = sharing(column);
    const element = cellOf(through.column, row);
    const json =
      through.kind === 'lookup'
        ? sql`'[', string_agg(${valueType(column).toJson(element, place)}, ',' order by ${order}), ']'`
        : valueJson(aggregate(through, element, order), column, place);
    return i === 0 ? json : sql`${literal(`,"${column.key}":`)}, ${json}`;
  });
  return sql`(select concat(${join(parts, comma)}) ${from} where ${tie})`;
}

function sharing(column: ColumnSchema): Through {
  const through = shareable(column);
  if (!through) throw new Error(`The column "${column.key}" shares no pass.`);
  return through;
}
