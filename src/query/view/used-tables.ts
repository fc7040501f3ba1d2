import type { Id } from '../../common/index.js';
import type { ViewGroups, ViewRead } from '../compile/view/view-read.js';
import { columnsOf, expressionOf } from '../formula/expression.js';
import { columnsOfGroups, columnsOfRead } from '../plan-columns.js';
import type { Condition } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { isViewColumn, type ViewTable } from './view-table.js';

/** By table of ours whose rows the answers to a question are made of: the columns of it that they are made of, near and far. */
export type UsedTables = ReadonlyMap<Id, ReadonlySet<Id>>;

/** What the answers are made of, and nothing that the tables have besides. */
export function usedTables(plan: ViewRead | ViewGroups): UsedTables {
  const uses = new Uses(plan.from);
  for (const column of 'groups' in plan ? columnsOfGroups(plan) : columnsOfRead(plan)) uses.cell(column);
  uses.condition(plan.where);
  return uses.found;
}

class Uses {
  readonly found = new Map<Id, Set<Id>>();

  constructor(private readonly view: ViewTable) {
    for (const { source, join } of view.places) {
      if (source.kind === 'table') this.rows(source.table);
      for (const { left, right } of join?.on ?? []) [left, right].forEach((column) => this.cell(column));
    }
  }

  /** A cell of the view, or of a table that it leads to. */
  cell(column: ColumnSchema, table?: TableSchema): void {
    if (!isViewColumn(column)) {
      if (table) this.own(column, table);
    } else if (column.of.kind === 'formula') for (const each of columnsOf(column.of.expression)) this.cell(each);
    else if (column.of.kind === 'cell') {
      const source = this.view.places[column.of.place]?.source;
      if (source?.kind === 'table') this.own(column.of.column, source.table);
    }
  }

  /** What is asked of rows behind links; what is asked of the own row is among the columns of the plan. */
  condition(condition: Condition): void {
    switch (condition.kind) {
      case 'and':
      case 'or':
        condition.items.forEach((item) => this.condition(item));
        return;
      case 'not':
        this.condition(condition.item);
        return;
      case 'linked':
        this.cell(condition.column);
        this.behind(condition.where, condition.link.target);
        return;
      default:
    }
  }

  private behind(condition: Condition, table: TableSchema): void {
    this.rows(table);
    switch (condition.kind) {
      case 'true':
        return;
      case 'and':
      case 'or':
        condition.items.forEach((item) => this.behind(item, table));
        return;
      case 'not':
        this.behind(condition.item, table);
        return;
      case 'linked':
        this.own(condition.column, table);
        this.behind(condition.where, condition.link.target);
        return;
      case 'compareColumns':
        this.own(condition.other, table);
        this.own(condition.column, table);
        return;
      default:
        this.own(condition.column, table);
    }
  }

  private rows({ id }: TableSchema): Set<Id> {
    const known = this.found.get(id) ?? new Set<Id>();
    this.found.set(id, known);
    return known;
  }

  private own(column: ColumnSchema, table: TableSchema): void {
    const known = this.rows(table);
    if (known.has(column.id)) return;
    known.add(column.id);
    const { derived } = column;
    if (derived === undefined || derived.kind === 'system') return;
    if (derived.kind === 'formula') {
      for (const each of columnsOf(expressionOf(derived.expression))) this.own(each, table);
      return;
    }
    const { link } = derived;
    this.rows(link.target);
    if (derived.kind === 'lookup' || derived.kind === 'rollup') this.own(derived.column, link.target);
    if (derived.kind === 'link') return;
    const through = table.columns.find(
      (each) =>
        each.derived?.kind === 'link' &&
        each.derived.link.through === link.through &&
        each.derived.link.end === link.end,
    );
    if (through) this.own(through, table);
  }
}
