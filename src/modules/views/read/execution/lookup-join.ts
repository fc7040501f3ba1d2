import { must } from '../../../../common/index.js';
import {
  among,
  cellOfText,
  columnsIn,
  columnsOf,
  isOf,
  isViewColumn,
  joinKey,
  kindOf,
  partialOrder,
  ROW_SEPARATOR,
  RowMaker,
  type CellTexts,
  type ColumnSchema,
  type PartQuestion,
  type Places,
  type ViewColumn,
  type ViewRead,
  type ViewTable,
} from '../../../../query/index.js';
import { tenth, type Outcome, type Question, type SourceReport, type Way } from './outcome.js';
import type { Part, PartPage } from './part.js';

/** Values that a database is asked for at once. */
const BATCH = 1_000;
/** Pages of the driving side that are read to fill one of the view, where joins leave rows out. */
const MAX_PAGES = 20;

/** What a page of the view asks of some of its places. */
export const questionOf = (plan: ViewRead): PartQuestion => ({
  cells: [],
  where: plan.where,
  orderBy: partialOrder(plan),
  limit: plan.limit,
  count: plan.count,
  ...(plan.after ? { after: plan.after } : {}),
  ...(plan.way ? { way: plan.way } : {}),
  ...(plan.clock ? { clock: plan.clock } : {}),
});

/**
 * A page of the side that drives, in its order; then the rows of the other sources by their keys, in batches. It costs what the page
 * costs, however large the other sources are. For joins that find at most one row, and where only the driving side decides which rows come in which order.
 */
export class LookupJoin implements Way {
  readonly tier = 'lookup-join';
  readonly reason =
    'The first source decides which rows come in which order; the others are asked for the rows of the page by their keys.';

  constructor(
    private readonly driver: Part,
    private readonly others: readonly Part[],
  ) {}

  can({ kind, plan }: Question): boolean {
    if (kind !== 'rows') return false;
    const { from, where } = plan;
    const decisive = [
      ...columnsIn(where),
      ...partialOrder(plan).flatMap(({ by }) => (by.kind === 'column' ? by.column : [])),
    ];
    return (
      decisive.every((column) => isMadeOf(column, this.driver.places)) &&
      this.others.every(({ places }) => findsOne(from, places.from)) &&
      (plan.count === 'none' || this.others.every(({ places }) => from.places[places.from]?.join?.type === 'left')) &&
      this.driver.can(questionOf(plan))
    );
  }

  async run(question: Question, signal: AbortSignal): Promise<Outcome> {
    if (question.kind !== 'rows') throw new Error('groups are not joined by lookup');
    const { plan } = question;
    const maker = new RowMaker(plan.select, new Date());
    const others = this.needed(plan.from, maker);
    const cells = cellsFor(plan.from, maker, others);
    const isDropping = others.some(({ places }) => plan.from.places[places.from]?.join?.type === 'inner');
    const log = new ReportLog();
    const lines: string[] = [];
    let asked = { ...questionOf(plan), cells: cells.filter((column) => isOf(column, this.driver.places)) };
    let page: PartPage | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const driven = await this.driver.read(asked, signal);
      log.add(driven.report);
      const found = await this.joined(driven.rows, others, cells, plan.from, signal, log);
      lines.push(...found.map((row) => maker.row(row)));
      page = page ? { ...driven, ...(page.prev ? { prev: page.prev } : {}) } : driven;
      if (!isDropping || lines.length > 0 || !driven.next || plan.way === 'before' || plan.way === 'upTo') break;
      asked = { ...asked, after: driven.next, way: 'after' };
    }
    return { page: pageOf(must(page, 'a page was read'), lines), sources: log.reports };
  }

  /** Those that rows are shown of, dropped by, or that one of these is joined by. */
  private needed(table: ViewTable, maker: RowMaker): readonly Part[] {
    const wanted = new Set<Part>();
    const want = (column: ViewColumn): void => {
      const part = this.others.find(({ places }) => isOf(column, places));
      if (!part || wanted.has(part)) return;
      wanted.add(part);
      for (const { left } of table.places[part.places.from]?.join?.on ?? []) want(left);
    };
    maker.cells.forEach(want);
    for (const part of this.others) {
      const { join } = must(table.places[part.places.from], 'a place');
      if (join?.type !== 'inner') continue;
      wanted.add(part);
      for (const { left } of join.on) want(left);
    }
    return this.others.filter((part) => wanted.has(part));
  }

  private async joined(
    rows: readonly CellTexts[],
    others: readonly Part[],
    cells: readonly ViewColumn[],
    table: ViewTable,
    signal: AbortSignal,
    log: ReportLog,
  ): Promise<readonly CellTexts[]> {
    let all = rows;
    for (const part of others) {
      const { type, on } = must(must(table.places[part.places.from], 'a place').join, 'a joined place');
      const lookup = new Lookup(on);
      const wanted = lookup.valuesOf(all);
      const own = cells.filter((column) => isOf(column, part.places));
      const [first] = on;
      for (let i = 0; first && i < wanted.length; i += BATCH) {
        const values = wanted.slice(i, i + BATCH);
        const question = {
          cells: own,
          where: among(first.right, values),
          orderBy: [],
          limit: BATCH,
          count: 'none',
        } as const;
        let page = await part.read(question, signal);
        log.add(page.report);
        lookup.keep(page.rows);
        while (page.next) {
          page = await part.read({ ...question, after: page.next }, signal);
          log.add(page.report);
          lookup.keep(page.rows);
        }
      }
      all = all.flatMap((row) => {
        const match = lookup.find(row);
        if (!match) return type === 'inner' ? [] : [row];
        return [new Map([...row, ...match])];
      });
    }
    return all;
  }
}

/** The page of the driving side with other rows. */
export const pageOf = ({ next, prev, count }: PartPage, lines: readonly string[]): Outcome['page'] => ({
  data: lines.join(ROW_SEPARATOR),
  ...(next ? { next } : {}),
  ...(prev ? { prev } : {}),
  ...(count ? { count } : {}),
});

/** Rows of a source by what they are joined by. */
class Lookup {
  private readonly rows = new Map<string, CellTexts>();

  constructor(private readonly on: readonly { readonly left: ViewColumn; readonly right: ViewColumn }[]) {}

  /** Values of the first column that rows may have matches by, each once, as the other source takes them. */
  valuesOf(rows: readonly CellTexts[]): readonly (string | number)[] {
    const [first] = this.on;
    if (!first) return [];
    const values = new Map<string, string | number>();
    for (const row of rows) {
      const key = keyOf(first.left, row);
      const value = key === undefined ? undefined : joinKey.asValueOf(kindOf(first.right), key);
      if (value !== undefined && key !== undefined) values.set(key, value);
    }
    return [...values.values()];
  }

  keep(rows: readonly CellTexts[]): void {
    for (const row of rows) {
      const key = this.tuple(row, 'right');
      if (key !== undefined) this.rows.set(key, row);
    }
  }

  find(row: CellTexts): CellTexts | undefined {
    const key = this.tuple(row, 'left');
    return key === undefined ? undefined : this.rows.get(key);
  }

  private tuple(row: CellTexts, side: 'left' | 'right'): string | undefined {
    const keys = this.on.map((tie) => keyOf(tie[side], row));
    return keys.some((key) => key === undefined) ? undefined : JSON.stringify(keys);
  }
}

/** Undefined for null. */
function keyOf(column: ViewColumn, row: CellTexts): string | undefined {
  const value = cellOfText(kindOf(column), row.get(column.physical));
  return value === null || typeof value === 'object' ? undefined : joinKey.of(kindOf(column), value);
}

/** What the sources are asked for: what is shown, and what they are joined by. */
function cellsFor(table: ViewTable, maker: RowMaker, others: readonly Part[]): readonly ViewColumn[] {
  const ties = others.flatMap(({ places }) => table.places[places.from]?.join?.on ?? []);
  const all = [...maker.cells, ...ties.flatMap(({ left, right }) => [left, right])];
  return [...new Map(all.map((column) => [column.physical, column])).values()];
}

/** Whether its value follows from cells of these places alone, and a database can be asked for it. */
function isMadeOf(column: ColumnSchema, places: Places): boolean {
  if (!isViewColumn(column)) return false;
  if (column.of.kind !== 'formula') return isOf(column, places);
  return columnsOf(column.of.expression).every((each) => isMadeOf(each, places));
}

/** Whether a row has at most one match in the place: it is joined by what tells its rows apart. */
function findsOne({ places }: ViewTable, index: number): boolean {
  const { source, join } = must(places[index], 'a place');
  const on = join?.on ?? [];
  if (on.some(({ left }) => kindOf(left).list)) return false;
  if (source.kind === 'table')
    return on.some(({ right }) => right.of.kind === 'key' || (right.of.kind === 'cell' && right.of.column.unique));
  const by = new Set(on.map(({ right }) => (right.of.kind === 'cell' ? right.of.column.key : '')));
  return source.object.key.length > 0 && source.object.key.every(({ key }) => by.has(key));
}

/** One report for all questions of a kind. */
class ReportLog {
  private readonly known = new Map<string, SourceReport>();

  add(report: SourceReport): void {
    const id = JSON.stringify([report.as, report.connection]);
    const before = this.known.get(id);
    this.known.set(
      id,
      before ? { ...report, rows: before.rows + report.rows, ms: tenth(before.ms + report.ms) } : report,
    );
  }

  get reports(): readonly SourceReport[] {
    return [...this.known.values()];
  }
}
