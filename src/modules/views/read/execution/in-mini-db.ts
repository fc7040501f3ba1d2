import { compileViewGroups, compileViewRead, toStatement } from '../../../../query/index.js';
import { rowsIn, type MiniDbViews, type PageText } from '../../../../engines/index.js';
import { timed, type Outcome, type Question, type Way } from './outcome.js';

/** All sources are tables of ours: one statement. */
export class InMiniDb implements Way {
  readonly tier = 'push-down';
  readonly reason = 'All sources are tables of the mini-DB, which answers with one statement.';

  constructor(private readonly views: MiniDbViews) {}

  async run(question: Question): Promise<Outcome> {
    const { result: page, ms } = await timed(() => this.ask(question));
    const as = question.plan.from.places.map(({ alias }) => alias);
    return { page, sources: [{ as, connection: null, text: () => miniText(question), rows: rowsIn(page.data), ms }] };
  }

  private ask(question: Question): Promise<PageText> {
    return question.kind === 'rows' ? this.views.read(question.plan) : this.views.readGroups(question.plan);
  }
}

/** The statement without its values. */
export const miniText = (question: Question): string =>
  toStatement(question.kind === 'rows' ? compileViewRead(question.plan).sql : compileViewGroups(question.plan)).text;
