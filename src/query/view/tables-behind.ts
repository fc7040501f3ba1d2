import type { Id } from '../../common/index.js';
import { columnsOf, expressionOf } from '../formula/expression.js';
import type { ColumnSchema, TableSchema } from '../schema.js';

/** Where the log of a table is kept. */
export interface TableRef {
  readonly id: Id;
  readonly schema: string;
}

/** These tables and all that their links, lookups, rollups and counts show something of, or that it depends on which rows are seen: rather too many than too few. */
export function tablesBehind(tables: readonly TableSchema[]): readonly TableRef[] {
  const found = new Map<Id, TableRef>();
  const seen = new Set<ColumnSchema>();
  const add = ({ id, physical, seen: part }: TableSchema): void => {
    found.set(id, { id, schema: physical.schema });
    for (const read of part?.rows?.tables ?? [])
      if (!found.has(read.id)) found.set(read.id, { id: read.id, schema: read.physical.schema });
  };
  const follow = (column: ColumnSchema): void => {
    const { derived } = column;
    if (!derived || derived.kind === 'system' || seen.has(column)) return;
    seen.add(column);
    if (derived.kind === 'formula') {
      columnsOf(expressionOf(derived.expression)).forEach(follow);
      return;
    }
    add(derived.link.target);
    if (derived.kind === 'lookup' || derived.kind === 'rollup') follow(derived.column);
  };
  for (const table of tables) {
    add(table);
    for (const column of table.columns) follow(column);
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
