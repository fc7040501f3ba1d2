import { must, newId, type Id } from '../../../common/index.js';
import { linkTableName, type ColumnOptions } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { TableRecord } from '../tables/table-schema.js';

/** Ids of the copies, by those of the originals; what is not copied leads to where it led. */
export class Rewiring {
  private readonly ids: Map<Id, Id>;
  private readonly throughs = new Map<string, string>();

  constructor(known: readonly (readonly [original: Id, copy: Id])[] = []) {
    this.ids = new Map(known);
  }

  /** What a thing of the original is called in the copy. */
  to(id: Id): Id {
    return this.ids.get(id) ?? id;
  }

  copied(id: Id): Id {
    const copy = newId();
    this.ids.set(id, copy);
    return copy;
  }

  /** The table of pairs that a link of the copy has. */
  through(original: string): string {
    return must(this.throughs.get(original), 'a link that is copied has a table of pairs');
  }

  renameThrough(table: TableEntity, column: ColumnEntity): void {
    const { through } = column.options;
    if (through !== undefined)
      this.throughs.set(through, linkTableName(table, { id: this.to(column.id), key: column.key }));
  }

  options(options: ColumnOptions): ColumnOptions {
    const { tableId, inverseColumnId, linkColumnId, columnId, columnIds, through, ...others } = options;
    return {
      ...others,
      ...(tableId === undefined ? {} : { tableId: this.to(tableId) }),
      ...(inverseColumnId === undefined ? {} : { inverseColumnId: this.to(inverseColumnId) }),
      ...(linkColumnId === undefined ? {} : { linkColumnId: this.to(linkColumnId) }),
      ...(columnId === undefined ? {} : { columnId: this.to(columnId) }),
      ...(columnIds === undefined
        ? {}
        : { columnIds: Object.fromEntries(Object.entries(columnIds).map(([key, id]) => [key, this.to(id)])) }),
      ...(through === undefined ? {} : { through: this.through(through) }),
    };
  }

  column(column: ColumnEntity, at: Date): ColumnEntity {
    return {
      ...column,
      id: this.to(column.id),
      tableId: this.to(column.tableId),
      options: this.options(column.options),
      createdAt: at,
    };
  }
}

/** Copies of tables that lead to each other as their originals do; nothing leads out of them. */
export function rewired(
  originals: readonly TableRecord[],
  table: (original: TableEntity, id: Id) => TableEntity,
): readonly TableRecord[] {
  const wiring = new Rewiring();
  const tables = originals.map((original) => table(original.table, wiring.copied(original.table.id)));
  for (const { columns } of originals) for (const { id } of columns) wiring.copied(id);
  for (const [i, { columns }] of originals.entries()) {
    const copy = must(tables[i], 'each table has its copy');
    for (const column of columns) if (column.options.end === 'source') wiring.renameThrough(copy, column);
  }
  const at = new Date();
  return originals.map(({ columns }, i) => ({
    table: must(tables[i], 'each table has its copy'),
    columns: columns.map((column) => wiring.column(column, at)),
  }));
}
