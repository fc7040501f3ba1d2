import type { Id } from '../../../../common/index.js';
import { rowsIn, type ExternalEngine } from '../../../../engines/index.js';
import { objectGroups, RowMaker, type ViewGroups } from '../../../../query/index.js';
import { pageOf, questionOf } from './lookup-join.js';
import { timed, type Outcome, type Question, type Way } from './outcome.js';
import type { ExternalPart } from './part.js';
import { tellingSource } from './telling-source.js';

/** All sources are objects of one external database, which answers with one statement; formulas are computed of its rows. */
export class InOneConnection implements Way {
  readonly tier = 'push-down';
  readonly reason = 'All sources are in one external database, which answers with one statement.';

  constructor(
    private readonly connection: { readonly id: Id; readonly name: string },
    private readonly engine: ExternalEngine,
    private readonly part: ExternalPart,
  ) {}

  can(question: Question): boolean {
    if (question.kind === 'rows') return this.part.can(questionOf(question.plan));
    const { from } = question.plan;
    if (from.places.length > 1 && !this.engine.capabilities.joins) return false;
    return objectGroups(question.plan, this.engine.capabilities) !== undefined;
  }

  async run(question: Question, signal: AbortSignal): Promise<Outcome> {
    if (question.kind === 'groups') return this.groups(question.plan, signal);
    const { plan } = question;
    const maker = new RowMaker(plan.select, new Date());
    const page = await this.part.read({ ...questionOf(plan), cells: maker.cells }, signal);
    const lines = page.rows.map((row) => maker.row(row));
    return { page: pageOf(page, lines), sources: [page.report] };
  }

  private async groups(asked: ViewGroups, signal: AbortSignal): Promise<Outcome> {
    const plan = objectGroups(asked, this.engine.capabilities);
    if (!plan) throw new Error('the database cannot be asked this');
    const { result, ms } = await timed(() =>
      tellingSource(this.connection, () => this.engine.readGroups(plan, signal)),
    );
    const { data, next, count } = result;
    const as = asked.from.places.map(({ alias }) => alias);
    const report = {
      as,
      connection: this.connection.id,
      text: () => this.engine.describe(plan),
      rows: rowsIn(data),
      ms,
    };
    return { page: { data, ...(next ? { next } : {}), ...(count ? { count } : {}) }, sources: [report] };
  }
}
