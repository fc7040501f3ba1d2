import { tablesBehind } from '../compile/cell.js';
import type { FilterInput } from '../filter/filter-input.js';
import { linkOfColumn, type FollowedLink } from '../resolve/resolve-filter.js';
import { columnByKey, type ColumnSchema, type TableSchema } from '../schema.js';
import { pinned } from './pins.js';
import { changesByTime } from './changes-by-time.js';
import type { ViewDefinition } from './view-definition.js';
import { isViewColumn, type LinkedPart, type ViewTable } from './view-table.js';

type LinkOf = (column: ColumnSchema) => FollowedLink | undefined;

/**
 * How the own filter of a definition follows links: of the rows of its tables, and on from there. What it names behind them is
 * pinned as what it names of the places is. Filters of requests have no such way, for they speak of what the view shows alone.
 */
export function linksOfView(
  { keys }: Pick<ViewTable, 'keys'>,
  { pins, isFrozen }: Pick<ViewDefinition, 'pins' | 'isFrozen'>,
): LinkOf {
  return (column) => {
    const own = isViewColumn(column) && column.of.kind === 'cell' ? column.of : undefined;
    const followed = linkOfColumn(own ? own.column : column);
    if (!followed) return undefined;
    const owner = own && keys[own.place];
    const { target } = followed.link;
    return { link: { ...followed.link, target: pinned(target, pins, isFrozen) }, ...(owner ? { owner } : {}) };
  };
}

/** What a filter of a definition depends on behind links; undefined where it follows none. Names that there are not are left out. */
export function linkedPart(filter: FilterInput, table: ViewTable, linkOf: LinkOf): LinkedPart | undefined {
  const tables = new Set<TableSchema>();
  const columns = new Set<ColumnSchema>();
  collect(filter, table, linkOf, false, { tables, columns });
  if (tables.size === 0) return undefined;
  const further = [
    ...[...columns].flatMap(tablesBehind),
    ...[...tables].flatMap(({ seen }) => seen?.rows?.tables ?? []),
  ];
  return {
    tables: [...new Map([...further, ...tables].map((each) => [each.id, each])).values()],
    isTimeBound: [...columns].some(changesByTime),
  };
}

interface Collected {
  readonly tables: Set<TableSchema>;
  readonly columns: Set<ColumnSchema>;
}

function collect(filter: FilterInput, table: TableSchema, linkOf: LinkOf, isBehind: boolean, into: Collected): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const item of filter.items) collect(item, table, linkOf, isBehind, into);
      return;
    case 'not':
      collect(filter.item, table, linkOf, isBehind, into);
      return;
    case 'link': {
      const column = columnByKey(table, filter.field);
      const target = column && linkOf(column)?.link.target;
      if (!target) return;
      into.tables.add(target);
      collect(filter.where, target, linkOf, true, into);
      return;
    }
    case 'leaf': {
      const { field, operand } = filter;
      if (!isBehind) return;
      for (const name of [field, ...(operand.kind === 'column' ? [operand.field] : [])]) {
        const column = columnByKey(table, name);
        if (column) into.columns.add(column);
      }
    }
  }
}
