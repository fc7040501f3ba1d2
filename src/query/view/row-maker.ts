import { evaluateFormula, columnsOf } from '../formula/index.js';
import { kindOf } from '../kind.js';
import type { CellValue, ColumnSchema, ValueKind } from '../schema.js';
import { isViewColumn, type ViewColumn } from './view-table.js';

/** JSON texts of the cells of one row, by the physical names of the view's columns; an absent one is null. */
export type CellTexts = ReadonlyMap<string, string>;

/** Makes rows of a view in memory of cells that databases gave, where no database has all of them. */
export class RowMaker {
  /** The cells that rows are made of, each once: those that are shown, and those that formulas read. */
  readonly cells: readonly ViewColumn[];
  /** Whether something has to be computed. */
  readonly computes: boolean;

  constructor(
    private readonly select: readonly ViewColumn[],
    private readonly now: Date,
  ) {
    const cells = new Map<string, ViewColumn>();
    for (const column of select) collect(column, cells);
    this.cells = [...cells.values()];
    this.computes = select.some(({ of }) => of.kind === 'formula');
  }

  /** `{"fields":{…}}` */
  row(cells: CellTexts): string {
    const members = this.select.map((column) => `${JSON.stringify(column.key)}:${this.text(column, cells)}`);
    return `{"fields":{${members.join(',')}}}`;
  }

  private text(column: ViewColumn, cells: CellTexts): string {
    if (column.of.kind !== 'formula') return cells.get(column.physical) ?? (kindOf(column).list ? '[]' : 'null');
    return textOfValue(kindOf(column), this.value(column, cells));
  }

  private value(column: ColumnSchema, cells: CellTexts): CellValue {
    if (!isViewColumn(column)) throw new Error('a formula of a view reads columns of the view');
    if (column.of.kind !== 'formula') return cellOfText(kindOf(column), cells.get(column.physical));
    return evaluateFormula(column.of.expression, (each) => this.value(each, cells), { now: this.now });
  }
}

function collect(column: ColumnSchema, cells: Map<string, ViewColumn>): void {
  if (!isViewColumn(column)) throw new Error('a formula of a view reads columns of the view');
  if (column.of.kind === 'formula') for (const each of columnsOf(column.of.expression)) collect(each, cells);
  else cells.set(column.physical, column);
}

/** The canonical value of a cell that a database gave as JSON text. */
export function cellOfText({ type, list }: ValueKind, text: string | undefined): CellValue {
  if (text === undefined || text === 'null') return null;
  if (type === 'json') return text;
  const value = JSON.parse(text) as CellValue;
  return list && (value as readonly unknown[]).length === 0 ? null : value;
}

function textOfValue({ list }: ValueKind, value: CellValue): string {
  if (value === null) return list ? '[]' : 'null';
  return JSON.stringify(value);
}
