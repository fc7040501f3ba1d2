import {
  asksOfPart,
  between,
  COUNT_BOUND,
  isBackward,
  Records,
  ROW_SEPARATOR,
  type Condition,
  type CountMode,
  type PageStatement,
  type Position,
  type ReadPlan,
  type RecordTemplate,
  type TableSchema,
} from '../../query/index.js';
import type { PgRow } from '../../database/mini/index.js';
import type { PageText, RowsPage } from '../data-engine.js';

type Text = string | null | undefined;

const SEPARATOR = between(ROW_SEPARATOR);

/** What a page is of a plan. */
type Paged = Pick<ReadPlan, 'limit' | 'way' | 'after'>;

type RowsOf<T> = Pick<RowsPage, 'next' | 'prev' | 'rows'> & { readonly data: T };
export type TextsOf<T> = (records: Records, row: RecordTemplate, from: number, to: number) => T;

/** Rows as one text for whoever reads it. */
export const asString: TextsOf<string> = (records, row, from, to) => records.texts(row, from, to, SEPARATOR);

/** Rows as what is sent and given back. */
export const asLent: TextsOf<RowsPage['data']> = (records, row, from, to) =>
  records.lentTexts(row, from, to, SEPARATOR);

/** The rows of a page as `compilePage` gives them, from records to text. */
export class PageRecords<T extends RowsPage['data']> {
  private page: RowsOf<T> | undefined;

  constructor(
    private readonly plan: Paged,
    private readonly statement: Pick<PageStatement, 'row' | 'position'>,
    private readonly textOf: TextsOf<T>,
  ) {}

  /** No rows are no value, and nothing is read. */
  readonly read = (bytes: Buffer): string => {
    const { row, position } = this.statement;
    const records = Records.in(bytes);
    const { from, to, next, prev } = spanOf(records.count, this.plan);
    this.page = {
      data: this.textOf(records, row, from, to),
      rows: to - from,
      ...(next ? { next: readPosition(records.text(position, to - 1)) } : {}),
      ...(prev ? { prev: readPosition(records.text(position, from)) } : {}),
    };
    return '';
  };

  /** @param none what no rows are */
  text(none: T): RowsOf<T> {
    return this.page ?? { data: none, rows: 0 };
  }
}

/**
 * Which of the rows found are the page's, and whether there are others behind and before it. The row that only told so is not part of it. Nothing
 * lies before the first page; where a page was asked for by a cursor, rows were on the other side of it.
 */
function spanOf(found: number, { limit, way = 'after', after }: Paged) {
  const more = found > limit;
  if (isBackward(way)) return { from: more ? 1 : 0, to: found, next: found > 0, prev: more };
  return { from: 0, to: more ? limit : found, next: more, prev: after !== undefined && found > 0 };
}

/** A page of groups as `compileGroupPage` gives it. */
export const groupsText = (data: Text, position: Text): Pick<PageText, 'data' | 'next'> => ({
  data: position ? withoutLast(data ?? '') : (data ?? ''),
  ...(position ? { next: readPosition(position) } : {}),
});

type Count = NonNullable<PageText['count']>;

/** A count under the name that it was asked for by; `made` is what became of it, `instead` what stands in the place of one that took too long. */
export async function countOf(
  asked: CountMode,
  made: CountMode,
  total: number,
  instead: () => Promise<Omit<Count, 'mode'>>,
): Promise<Pick<PageText, 'count'>> {
  if (asked === 'none') return {};
  switch (made) {
    case 'exact':
      return { count: { mode: asked, value: total, relation: 'exact' } };
    case 'bounded':
      return {
        count: {
          mode: asked,
          value: Math.min(total, COUNT_BOUND),
          relation: total > COUNT_BOUND ? 'atLeast' : 'exact',
        },
      };
    default:
      return { count: { mode: asked, ...(await instead()) } };
  }
}

/** Estimates go by statistics of all rows: whoever sees some of them is told of those on his page, and of no others. */
export async function insteadOfCount(
  tables: readonly TableSchema[],
  where: Condition,
  rows: () => number,
  explain: () => Promise<readonly PgRow[]>,
): Promise<Omit<Count, 'mode'>> {
  if (asksOfPart(tables, where)) return { value: rows(), relation: 'atLeast' };
  return { value: expectedRows(await explain()), relation: 'estimate' };
}

/** What EXPLAIN said. */
function expectedRows([row]: readonly PgRow[]): number {
  const [explained] = JSON.parse(row?.[0] ?? '[]') as { Plan: { 'Plan Rows': number } }[];
  return explained?.Plan['Plan Rows'] ?? 0;
}

/** A list without elements is shown as `[]`; its canonical form is null. */
const readPosition = (json: string): Position =>
  (JSON.parse(json) as Position).map((cell) => (Array.isArray(cell) && cell.length === 0 ? null : cell));

/** How many rows, or groups, a text has: what stands between them is in none. */
export function rowsIn(data: string): number {
  if (data === '') return 0;
  let rows = 1;
  for (let at = data.indexOf(ROW_SEPARATOR); at >= 0; at = data.indexOf(ROW_SEPARATOR, at + 1)) rows++;
  return rows;
}

/** The group that only told that there is another page is not part of this one. */
const withoutLast = (groups: string): string => groups.slice(0, groups.lastIndexOf(ROW_SEPARATOR));
