import type { Id } from '../../common/index.js';
import { matches } from '../evaluate.js';
import { columnsOf, evaluateFormula, expressionOf, type Expression } from '../formula/index.js';
import { kindOf } from '../kind.js';
import type { Condition, OrderTerm } from '../plan.js';
import { columnsIn } from '../plan-columns.js';
import type { CellValue, ColumnSchema, ColumnTypeName, TableSchema } from '../schema.js';
import { isGrouped, resolveViewRead, type ResolvedView } from './resolve-view.js';
import { cellOfText } from './row-maker.js';
import { changesByTime } from './changes-by-time.js';
import { isTimeBound } from './view-scope.js';
import { isViewColumn, type ViewColumn } from './view-table.js';

/** What a row of a table holds: JSON by column key, as the change log has it. */
export interface RowImage {
  readonly id: Id;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Their cells follow from what the log of the table does not have, or are shown in another form than there. */
const ELSEWHERE: ReadonlySet<ColumnTypeName> = new Set([
  ...(['lookup', 'rollup', 'count', 'attachment'] as const),
  ...(['created_at', 'updated_at', 'created_by', 'updated_by'] as const),
]);

/** A view of rows of one table of ours, whose answer follows from the rows themselves: what it makes of one of them is told without a database. */
export class ViewInMemory {
  /** Columns of the table that have to be known of a row. */
  readonly cells: readonly ColumnSchema[];

  private constructor(
    readonly table: TableSchema,
    private readonly shown: readonly ViewColumn[],
    private readonly where: Condition,
    private readonly sorted: readonly ColumnSchema[],
  ) {
    const cells = new Set<ColumnSchema>();
    for (const column of [...shown, ...columnsIn(where), ...sorted, ...(table.seen?.rows?.reads ?? [])])
      collect(column, cells);
    // A column as somebody sees it, and as the rules for him do, is one.
    this.cells = [...new Map([...cells].map((column) => [column.key, column])).values()];
  }

  /** Undefined where it takes more than the row: other tables, another database, the time, or who asks. Rather too often than not. */
  static of(view: ResolvedView, zone: string): ViewInMemory | undefined {
    const [place, ...others] = view.table.places;
    if (place?.source.kind !== 'table' || others.length > 0 || isGrouped(view.definition)) return undefined;
    if (view.filter && isTimeBound(view.filter)) return undefined;
    const request = { sort: [], limit: 1, count: 'none' } as const;
    const { plan } = resolveViewRead(view, request, { now: new Date(0), zone, me: null });
    const sorted = sortedBy(plan.orderBy);
    const { table } = place.source;
    const rule = table.seen?.rows;
    const used = [...plan.select, ...columnsIn(plan.where), ...sorted, ...(rule?.reads ?? [])];
    if (table.seen?.isTimeBound || rule?.readsLinks) return undefined;
    if (asksForLinked(plan.where) || !used.every(isOfRow)) return undefined;
    return new ViewInMemory(table, plan.select, plan.where, sorted);
  }

  /** Whether the view has the row, and whoever it is for sees it. */
  has(row: RowImage): boolean {
    const rule = this.table.seen?.rows;
    if (rule && !rule.holds({ id: row.id, fields: cellsOf(rule.reads, row) })) return false;
    return matches(this.where, { id: row.id, fields: cellsOf(columnsIn(this.where), row) });
  }

  /** What the view shows of it, by the keys of its answers. */
  fieldsOf(row: RowImage): Record<string, unknown> {
    return Object.fromEntries(this.shown.map((column) => [column.key, jsonOf(column, row)]));
  }

  /** What it is sorted by: another text where the row may stand in another place. */
  placeOf(row: RowImage): string {
    return JSON.stringify(this.sorted.map((column) => cellOf(column, row)));
  }
}

const sortedBy = (orderBy: readonly OrderTerm[]): readonly ColumnSchema[] =>
  orderBy.flatMap(({ by }) => (by.kind === 'column' ? by.column : []));

function asksForLinked(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.items.some(asksForLinked);
    case 'not':
      return asksForLinked(condition.item);
    default:
      return condition.kind === 'linked';
  }
}

/** What the column is a formula of; undefined for one that is none. */
function formulaOf(column: ColumnSchema): Expression | undefined {
  if (isViewColumn(column)) {
    if (column.of.kind === 'formula') return column.of.expression;
    return column.of.kind === 'cell' ? formulaOf(column.of.column) : undefined;
  }
  return column.derived?.kind === 'formula' ? expressionOf(column.derived.expression) : undefined;
}

/** The column of the table that the cells are of; undefined for formulas, and for the row's id. */
function ownColumn(column: ColumnSchema): ColumnSchema | undefined {
  if (!isViewColumn(column)) return column;
  return column.of.kind === 'cell' ? column.of.column : undefined;
}

function isOfRow(column: ColumnSchema): boolean {
  if (changesByTime(column)) return false;
  const formula = formulaOf(column);
  if (formula) return columnsOf(formula).every(isOfRow);
  const own = ownColumn(column);
  return own === undefined || (!ELSEWHERE.has(own.type) && !mayLeadOutOfSight(own));
}

/** The log of the table names rows at the other end that are not seen. */
const mayLeadOutOfSight = ({ derived }: ColumnSchema): boolean =>
  derived?.kind === 'link' && derived.link.target.seen?.rows !== undefined;

function collect(column: ColumnSchema, cells: Set<ColumnSchema>): void {
  const formula = formulaOf(column);
  if (formula) for (const each of columnsOf(formula)) collect(each, cells);
  else {
    const own = ownColumn(column);
    if (own) cells.add(own);
  }
}

const cellsOf = (columns: readonly ColumnSchema[], row: RowImage): Record<string, CellValue> =>
  Object.fromEntries(columns.map((column) => [column.key, cellOf(column, row)]));

function cellOf(column: ColumnSchema, row: RowImage): CellValue {
  const formula = formulaOf(column);
  if (formula) return evaluateFormula(formula, (each) => cellOf(each, row), { now: new Date(0) });
  const own = ownColumn(column);
  if (!own) return row.id;
  const json = row.fields[own.key];
  return json === undefined ? null : cellOfText(kindOf(own), JSON.stringify(json));
}

/** As answers have it. */
function jsonOf(column: ViewColumn, row: RowImage): unknown {
  const own = formulaOf(column) ? undefined : ownColumn(column);
  const json = own ? row.fields[own.key] : cellOf(column, row);
  return json ?? (kindOf(column).list ? [] : null);
}
