import type { Id } from '../../../../common/index.js';
import type { ExternalEngine, MiniDbViews, PageText } from '../../../../engines/index.js';
import {
  compileViewRead,
  membersOf,
  objectRead,
  partQuestion,
  partTable,
  ROW_SEPARATOR,
  skipPosition,
  toStatement,
  withKeys,
  type CellTexts,
  type PartQuestion,
  type Places,
  type SourceRead,
  type ViewRead,
  type ViewTable,
} from '../../../../query/index.js';
import { timed, type SourceReport } from './outcome.js';
import { tellingSource } from './telling-source.js';

/** Rows of a part as their cells. */
export interface PartPage extends Pick<PageText, 'next' | 'prev' | 'count'> {
  readonly rows: readonly CellTexts[];
  readonly report: SourceReport;
}

/** Neighbouring places of a view that one database answers for. */
export interface Part {
  readonly places: Places;
  /** Whether it can be asked this. */
  can(question: PartQuestion): boolean;
  read(question: PartQuestion, signal: AbortSignal): Promise<PartPage>;
}

/** Tables of ours. */
export class MiniPart implements Part {
  private readonly table: ViewTable;

  constructor(
    whole: ViewTable,
    readonly places: Places,
    private readonly views: MiniDbViews,
  ) {
    this.table = partTable(whole, places);
  }

  can(): boolean {
    return true;
  }

  async read(question: PartQuestion): Promise<PartPage> {
    const { cells, orderBy, ...asked } = partQuestion(question, this.places);
    const plan: ViewRead = {
      ...asked,
      from: this.table,
      select: cells.map((column) => ({ ...column, key: column.physical })),
      orderBy: withKeys(orderBy, this.table.keys),
    };
    const { result: page, ms } = await timed(() => this.views.read(plan));
    const rows = rowsOf(page.data);
    const as = this.table.places.map(({ alias }) => alias);
    return {
      ...page,
      rows,
      report: { as, connection: null, text: () => toStatement(compileViewRead(plan).sql).text, rows: rows.length, ms },
    };
  }
}

/** Objects of one external database. */
export class ExternalPart implements Part {
  private readonly table: ViewTable;

  constructor(
    whole: ViewTable,
    readonly places: Places,
    private readonly connection: { readonly id: Id; readonly name: string },
    private readonly engine: ExternalEngine,
  ) {
    this.table = partTable(whole, places);
  }

  can(question: PartQuestion): boolean {
    const joins = this.table.places.length > 1;
    return (!joins || this.engine.capabilities.joins) && this.planOf(question) !== undefined;
  }

  async read(question: PartQuestion, signal: AbortSignal): Promise<PartPage> {
    const plan = this.planOf(question);
    if (!plan) throw new Error('the database cannot be asked this');
    const { result, ms } = await timed(() => tellingSource(this.connection, () => this.engine.read(plan, signal)));
    const rows = rowsOf(result.data);
    const as = this.table.places.map(({ alias }) => alias);
    const next = result.next && (plan.skip === undefined ? result.next : skipPosition(plan));
    return {
      rows,
      ...(next ? { next } : {}),
      ...(result.count ? { count: result.count } : {}),
      report: { as, connection: this.connection.id, text: () => this.engine.describe(plan), rows: rows.length, ms },
    };
  }

  private planOf(question: PartQuestion): SourceRead | undefined {
    return objectRead(this.table, partQuestion(question, this.places), this.engine.capabilities);
  }
}

/** The cells of rows `{"fields":{…}}`. */
const rowsOf = (data: string): readonly CellTexts[] =>
  data === '' ? [] : data.split(ROW_SEPARATOR).map((row) => membersOf(row.slice('{"fields":'.length, -1)));
