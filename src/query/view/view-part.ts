import { conditionOn } from '../plan-columns.js';
import { remembered } from '../remember.js';
import type { Condition, OrderTerm, ReadPlan } from '../plan.js';
import type { ViewColumn, ViewTable } from './view-table.js';
import { isViewColumn } from './view-table.js';
import type { ColumnSchema } from '../schema.js';

/** Neighbouring places of a view that one database holds: from the one up to, and without, the other. */
export interface Places {
  readonly from: number;
  readonly to: number;
}

/** What is asked of the places of a part. Columns are of these places; the order is without what tells rows apart. */
export interface PartQuestion extends Pick<ReadPlan, 'where' | 'after' | 'way' | 'clock' | 'limit' | 'count'> {
  readonly cells: readonly ViewColumn[];
  readonly orderBy: readonly OrderTerm[];
}

/** The places of a part as a view of their own. */
export function partTable(table: ViewTable, { from, to }: Places): ViewTable {
  const [first, ...rest] = table.places.slice(from, to);
  if (!first) throw new Error('a part has places');
  const own = (column: ViewColumn): ViewColumn => moved(column, -from);
  return {
    ...table,
    places: [{ alias: first.alias, source: first.source }, ...rest],
    columns: table.columns.filter((column) => isOf(column, { from, to })).map(own),
    keys: table.keys.slice(from, to).map(own),
  };
}

/** The question about the columns of {@link partTable}. */
export function partQuestion(question: PartQuestion, { from }: Places): PartQuestion {
  const own = (column: ColumnSchema): ColumnSchema => (isViewColumn(column) ? moved(column, -from) : column);
  return {
    ...question,
    cells: question.cells.map((column) => moved(column, -from)),
    where: conditionOn(question.where, own),
    orderBy: question.orderBy.map(({ by, dir }) => ({
      by: by.kind === 'column' ? { kind: 'column', column: own(by.column) } : by,
      dir,
    })),
  };
}

function moved(column: ViewColumn, by: number): ViewColumn {
  const { of } = column;
  if (by === 0 || of.kind === 'formula') return column;
  const known = movedBy(column);
  let made = known.get(by);
  if (!made) known.set(by, (made = { ...column, of: { ...of, place: of.place + by } }));
  return made;
}

/** Each once, for much of a statement is kept by its columns; a view has few places. */
const movedBy = remembered((_column: ViewColumn) => new Map<number, ViewColumn>());

/** Whether the column is a cell or key of one of the places. */
export const isOf = ({ of }: ViewColumn, { from, to }: Places): boolean =>
  of.kind !== 'formula' && of.place >= from && of.place < to;

/** A condition that holds for rows whose column has one of the values. */
export const among = (column: ColumnSchema, values: readonly (string | number | boolean)[]): Condition => ({
  kind: 'oneOf',
  column,
  values,
});
