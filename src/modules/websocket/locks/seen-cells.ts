import { Injectable } from '@nestjs/common';
import { isId, notFound, Problem } from '../../../common/index.js';
import { MiniDbLookup } from '../../../engines/index.js';
import { rowFilter, TRUE, wholeOf, type ColumnSchema, type RowFilter, type TableSchema } from '../../../query/index.js';

/** A cell as clients name it. */
export interface NamedCell {
  readonly rowId: string;
  readonly columnKey: string;
}

/** What somebody who sees part of a table may do at a row that he sees. */
interface RowSight {
  readonly mayChange: boolean;
}

const EVERY_ROW: RowFilter = rowFilter(TRUE);

/** Which cells somebody sees who sees part of a table, asked of the rows as they are now. */
@Injectable()
export class SeenCells {
  constructor(private readonly lookup: MiniDbLookup) {}

  /** Those of the cells that he sees. */
  async seen<C extends NamedCell>(table: TableSchema, cells: readonly C[]): Promise<ReadonlySet<C>> {
    const named = cells.filter((cell) => columnOf(table, cell));
    const rows = await this.rows(table, named);
    return new Set(named.filter(({ rowId }) => rows.has(rowId)));
  }

  /** Those of the cells that he sees and may change. */
  async editable<C extends NamedCell>(table: TableSchema, cells: readonly C[]): Promise<ReadonlySet<C>> {
    const named = cells.filter((cell) => columnOf(table, cell)?.locked === undefined);
    const rows = await this.rows(table, named);
    return new Set(named.filter((cell) => columnOf(table, cell) && rows.get(cell.rowId)?.mayChange === true));
  }

  /** Why he may not ask others to leave the cell to him, if so. A row or column that he does not see is one that is not there. */
  async refusalOf(table: TableSchema, cell: NamedCell): Promise<Problem | undefined> {
    const column = columnOf(table, cell);
    // Asked in any case: how long an answer takes tells nothing either.
    const row = (await this.rows(table, [cell])).get(cell.rowId);
    if (!row) return notFound('row');
    if (!column) return notFound('column');
    if (row.mayChange && !column.locked) return undefined;
    return new Problem('ruled_out', { detail: 'Rules of the table say: this cell must not be changed.' });
  }

  /** By id, those of the rows that he sees. */
  private async rows(table: TableSchema, cells: readonly NamedCell[]): Promise<ReadonlyMap<string, RowSight>> {
    const ids = [...new Set(cells.map(({ rowId }) => rowId))].filter(isId);
    const { rows = EVERY_ROW, writes } = table.seen ?? {};
    const verdicts = await this.lookup.judge(wholeOf(table), ids, [rows, writes?.update ?? EVERY_ROW]);
    return new Map(
      [...verdicts].flatMap(([id, [isSeen, mayChange = false]]) => (isSeen ? [[id, { mayChange }] as const] : [])),
    );
  }
}

const columnOf = ({ columns }: TableSchema, { columnKey }: NamedCell): ColumnSchema | undefined =>
  columns.find(({ key }) => key === columnKey);
