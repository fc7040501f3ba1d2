import { must, notFound, Problem, type Id } from '../../../common/index.js';
import type { ColumnSchema, TableSchema } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { MAX_COLUMNS } from '../columns/column.dto.js';
import { baseSchema } from '../tables/table-schema.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { Structure } from './structure.js';

/** A table inside a draft. */
export interface DraftTable {
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
  /** As it is in the mini-DB now; absent for one that the draft adds. */
  readonly before?: Structure;
}

/** The tables of a draft with their columns as they will be, and which columns have to be written for that. */
export class DraftTables {
  private readonly tables: Map<Id, DraftTable>;
  private readonly changed = new Map<Id, ColumnEntity>();
  /** Made when it is asked for, and anew after each change. */
  private schemas: ReadonlyMap<Id, TableSchema> | undefined;

  constructor(
    private readonly schemaName: string,
    structures: readonly Structure[],
  ) {
    this.tables = new Map(
      structures.map((before) => [before.table.id, { table: before.table, columns: before.columns, before }]),
    );
  }

  find(tableId: Id): DraftTable | undefined {
    return this.tables.get(tableId);
  }

  /** @throws Problem `not_found` */
  get(tableId: Id): DraftTable {
    const found = this.tables.get(tableId);
    if (!found) throw notFound('table');
    return found;
  }

  get all(): readonly DraftTable[] {
    return [...this.tables.values()];
  }

  /** All columns that are there. */
  get columns(): readonly ColumnEntity[] {
    return this.all.flatMap(({ columns }) => columns);
  }

  /** Columns to be written, those that are hidden or left behind too. */
  get changedColumns(): readonly ColumnEntity[] {
    return [...this.changed.values()];
  }

  isNew(tableId: Id): boolean {
    return this.get(tableId).before === undefined;
  }

  place(tableId: Id, entry: DraftTable): void {
    this.tables.set(tableId, entry);
    this.schemas = undefined;
  }

  /** The columns of a table in this order. */
  order(tableId: Id, columns: readonly ColumnEntity[]): void {
    this.place(tableId, { ...this.get(tableId), columns });
  }

  /** A column behind the others. @throws Problem `limit_reached` */
  put(column: ColumnEntity): void {
    this.order(column.tableId, [...this.withRoom(column.tableId), column]);
    this.write(column);
  }

  /** The columns of a table that has room for another one. @throws Problem `limit_reached` */
  withRoom(tableId: Id): readonly ColumnEntity[] {
    const { columns } = this.get(tableId);
    if (columns.length >= MAX_COLUMNS)
      throw new Problem('limit_reached', { detail: `A table has at most ${MAX_COLUMNS} columns.` });
    return columns;
  }

  /** Another record of a column that is there. */
  replace(column: ColumnEntity): void {
    this.show(column);
    this.write(column);
  }

  /** The same for others to judge; it is written by those. */
  show(column: ColumnEntity): void {
    const { columns } = this.get(column.tableId);
    this.order(
      column.tableId,
      columns.map((each) => (each.id === column.id ? column : each)),
    );
  }

  /** Takes columns away, which are written as hidden ones. */
  hide(columns: readonly ColumnEntity[]): void {
    for (const column of columns) {
      this.order(
        column.tableId,
        this.get(column.tableId).columns.filter(({ id }) => id !== column.id),
      );
      this.write(column);
    }
  }

  /** A record to be written, whether or not it is one of those that are there. */
  write(column: ColumnEntity): void {
    this.changed.set(column.id, column);
  }

  /** The tables as they will be, for statements; the versions are those of now. */
  schemaOf(tableId: Id): TableSchema {
    this.schemas ??= baseSchema(this.schemaName, this.all);
    return must(this.schemas.get(tableId), 'a table of the draft');
  }

  /** A table as it is in the mini-DB now; undefined for one that the draft adds. */
  schemaBefore(tableId: Id): TableSchema | undefined {
    return this.get(tableId).before?.schema;
  }

  /** A column as it is now, in whichever table; undefined for one that the draft adds, or brings back. */
  columnBefore({ id, tableId }: ColumnEntity): ColumnSchema | undefined {
    return this.schemaBefore(tableId)?.columns.find((column) => column.id === id);
  }

  columnSchema({ id, tableId }: ColumnEntity): ColumnSchema {
    return must(
      this.schemaOf(tableId).columns.find((column) => column.id === id),
      'a column of the draft',
    );
  }
}
