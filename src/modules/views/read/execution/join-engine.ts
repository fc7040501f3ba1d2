import { must } from '../../../../common/index.js';
import {
  rowsIn,
  type MiniDbViews,
  type PageText,
  type StagedSource,
  type StageLimits,
} from '../../../../engines/index.js';
import {
  columnsOfGroups,
  columnsOfRead,
  stageOf,
  stageQuestion,
  type Stage,
  type ViewTable,
} from '../../../../query/index.js';
import type { ExternalRows } from '../../../connections/index.js';
import type { Reader } from '../reader.js';
import type { OpenSources } from '../view-sources.service.js';
import { miniText } from './in-mini-db.js';
import { tellingSource } from './telling-source.js';
import { tenth, timed, type Outcome, type Question, type SourceReport, type Way } from './outcome.js';

/** Rows that are asked for at once, to be copied. */
const BATCH = 5_000;

/**
 * What no single database can answer: the parts that each can are copied into temporary tables of the mini-DB's PostgreSQL, which
 * joins, sorts and groups them with tables of ours, by the same rules as everything else.
 */
export class JoinEngine implements Way {
  readonly tier = 'join-engine';

  constructor(
    readonly reason: string,
    private readonly views: MiniDbViews,
    private readonly rows: ExternalRows,
    private readonly access: Reader,
    private readonly sources: OpenSources,
    private readonly limits: StageLimits,
  ) {}

  async run(question: Question, signal: AbortSignal): Promise<Outcome> {
    const { plan } = question;
    const needed = question.kind === 'rows' ? columnsOfRead(question.plan) : columnsOfGroups(question.plan);
    const external = plan.from.places.flatMap(({ source }, place) => (source.kind === 'object' ? place : []));
    const copies = external.map((place) => this.copyOf(plan.from, stageOf(plan.from, needed, place), question, signal));
    const { result: page, ms } = await timed(() => this.ask(question, copies));
    const own = plan.from.places.flatMap(({ alias, source }) => (source.kind === 'table' ? alias : []));
    const copying = copies.reduce((sum, copy) => sum + copy.report().ms, 0);
    const joined = { as: own, connection: null, text: () => miniText(question), rows: rowsIn(page.data) };
    return {
      page,
      sources: [...copies.map((copy) => copy.report()), { ...joined, ms: tenth(ms - copying) }],
    };
  }

  private ask(question: Question, copies: readonly Copy[]): Promise<PageText> {
    const staged = copies.map(({ source }) => source);
    return question.kind === 'rows'
      ? this.views.readStaged(question.plan, staged, this.limits)
      : this.views.readStagedGroups(question.plan, staged, this.limits);
  }

  private copyOf(table: ViewTable, stage: Stage, question: Question, signal: AbortSignal): Copy {
    const { alias, source } = must(table.places[stage.place], 'a place');
    if (source.kind !== 'object') throw new Error('only objects are copied');
    const { connectionId } = source;
    const { engine, name } = must(this.sources.connections.get(connectionId), 'a connection that is open');
    const plan = stageQuestion(stage, table, question.plan.where, engine.capabilities, BATCH);
    const pages = this.rows.pages(this.access.workspaceId, connectionId, plan, signal);
    let [rows, ms] = [0, 0];
    const counted = async function* (): AsyncGenerator<string, void> {
      for (;;) {
        const { result, ms: took } = await timed(() => tellingSource({ id: connectionId, name }, () => pages.next()));
        ms += took;
        if (result.done === true) return;
        rows += rowsIn(result.value);
        yield result.value;
      }
    };
    return {
      source: { ...stage, pages: counted() },
      report: () => ({ as: [alias], connection: connectionId, text: () => engine.describe(plan), rows, ms: tenth(ms) }),
    };
  }
}

/** A copy that is made while the question is answered. */
interface Copy {
  readonly source: StagedSource;
  /** What became of it. */
  report(): SourceReport;
}
