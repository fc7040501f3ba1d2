import { Inject, Injectable } from '@nestjs/common';
import { inSpan, invalid, JsonText, resolving, shaping } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { rowsIn } from '../../../engines/index.js';
import {
  behind,
  CursorCodec,
  edge,
  isGrouped,
  planShape,
  resolveGroupedView,
  resolveGroupsOfView,
  NEW_FORMULAS,
  resolveView,
  resolveViewRead,
  rollupsOf,
  ROW_SEPARATOR,
  type DefinedSource,
  type FilterContext,
  type GroupsAsked,
  type ResolvedView,
  type ViewDefinition,
  type ViewRequest,
  type ViewScope,
  type ViewSource,
} from '../../../query/index.js';
import { tenth, type Outcome, type Question, type SourceReport, type Tier, type Way } from './execution/outcome.js';
import type { Reader } from './reader.js';
import { Ways } from './execution/ways.js';
import { ViewSources, type OpenSources } from './view-sources.service.js';

/** What a caller asks a view for: rows, or groups of what it shows. The `scope` is what he has of it at all. */
export type Asked = (
  | { readonly kind: 'rows'; readonly request: ViewRequest; readonly scope?: ViewScope }
  | { readonly kind: 'groups'; readonly request: GroupsAsked }
) & {
  /** Whether groups come with their subtotals. */
  readonly rollup?: boolean;
};

/** Without any wish. */
const FIRST_ROW = { kind: 'rows', request: { sort: [], limit: 1, count: 'none' } } as const satisfies Asked;

/** A page's place among the others. */
export interface Paging {
  readonly limit: number;
  readonly nextCursor?: string;
  readonly prevCursor?: string;
}

/** Rows of a view, as JSON texts with a line feed between. */
export interface ReadPage {
  readonly rows: string;
  readonly paging: Paging;
  /** How long the databases took. */
  readonly ms: number;
  /** What was asked for, without values. */
  readonly shape: () => string;
}

/** A definition that was resolved, and what its first page asks. */
export interface PlannedView {
  readonly view: ResolvedView;
  readonly question: Question;
}

/** What `explain` tells. */
export interface Explained {
  readonly tier: Tier;
  readonly reason: string;
  readonly sources: readonly (Omit<SourceReport, 'text'> & { readonly text: string; readonly name: string })[];
  readonly rows: number;
  readonly ms: number;
}

/** A question, resolved, with the way that it will be answered. */
interface Planned {
  readonly question: Question;
  readonly way: Way;
  /** What cursors of this query are bound to: the way, too, for each keeps other values of a row. */
  readonly query: string;
  readonly names: (connection: string | null) => string;
  /** Statements tell of columns that rules speak of, so those whom they are for are not told them. */
  readonly textOf: (report: SourceReport) => string;
  /** Subtotals of the groups of a page; nothing where none are asked for. */
  readonly subtotals: (data: string) => Promise<readonly string[] | undefined>;
}

/** Reads of views: request → resolve → plan → one of the ways to put their rows together. */
@Injectable()
export class ViewReader {
  private readonly cursors: CursorCodec;
  /** What definitions came to, and with which tables and objects. */
  private readonly known = new WeakMap<
    ViewDefinition,
    { readonly parts: readonly object[]; readonly view: ResolvedView }
  >();
  /** What their first pages ask: whoever asks only what a view is hears the same as long as its sources are the same. */
  private readonly planned = new WeakMap<ResolvedView, PlannedView>();

  constructor(
    private readonly sources: ViewSources,
    private readonly ways: Ways,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /**
   * One page of rows or groups.
   * @param at pointer to the definition, in problems with it
   * @throws Problem what resolving and the databases throw
   */
  data(access: Reader, definition: ViewDefinition, asked: Asked, at: string, signal: AbortSignal): Promise<JsonText> {
    return this.answered(access, definition, asked, at, signal, async (planned, { page, sources }, ms) => {
      const { way } = planned;
      const paging = this.paging(planned, page);
      const count = page.count ? `,"count":${JSON.stringify(page.count)}` : '';
      const meta = {
        tier: way.tier,
        sources: sources.map(({ as, connection, rows, ms: took }) => ({ as, connection, rows, ms: took })),
      };
      const totals = await planned.subtotals(page.data);
      const rolled = totals ? `"subtotals":[${totals.join(ROW_SEPARATOR)}],` : '';
      return new JsonText(
        ['{"data":[', page.data, `],${rolled}"page":${JSON.stringify(paging)}${count},"meta":${JSON.stringify(meta)}}`],
        {
          databaseMs: ms,
          queryFacts: () => ({ kind: 'read', plan: planShape(planned.question.plan), rows: rowsIn(page.data) }),
        },
      );
    });
  }

  /**
   * One page as rows of JSON text with a line feed between, for whoever puts them into another form.
   * @throws Problem as {@link data}
   */
  page(
    access: Reader,
    definition: ViewDefinition,
    request: ViewRequest,
    scope: ViewScope,
    at: string,
    signal: AbortSignal,
  ): Promise<ReadPage> {
    return this.answered(
      access,
      definition,
      { kind: 'rows', request, scope },
      at,
      signal,
      (planned, { page }, ms): ReadPage => ({
        ...{ rows: page.data, paging: this.paging(planned, page), ms },
        shape: () => planShape(planned.question.plan),
      }),
    );
  }

  /** Answers the question and tells how, without the rows. */
  explain(
    access: Reader,
    definition: ViewDefinition,
    asked: Asked,
    at: string,
    signal: AbortSignal,
  ): Promise<Explained> {
    return this.answered(access, definition, asked, at, signal, ({ way, names, textOf }, { page, sources }, ms) => ({
      tier: way.tier,
      reason: way.reason,
      sources: sources.map((report) => ({ ...report, text: textOf(report), name: names(report.connection) })),
      rows: rowsIn(page.data),
      ms: tenth(ms),
    }));
  }

  /** Of a definition that somebody makes. @throws Problem it does not fit its sources */
  check(access: Reader, definition: ViewDefinition, at: string): Promise<ResolvedView> {
    return this.sources.with(access, definition, (sources) =>
      Promise.resolve(this.checkOver(access, definition, at, (source, place) => sources.find(source, place))),
    );
  }

  /** The same over tables that are not there yet, or are called otherwise. */
  checkOver(
    access: Reader,
    definition: ViewDefinition,
    at: string,
    find: (source: DefinedSource, at: string) => ViewSource,
  ): ResolvedView {
    const view = resolveView(definition, find, at, NEW_FORMULAS);
    this.questionOf(view, FIRST_ROW, access);
    return view;
  }

  /**
   * What a page of the view without any wish would be, with times and time zone of whoever asked first: the same object for the same definition as
   * long as the sources are the same. Throws as {@link check}, of a stored definition.
   */
  plan(access: Reader, definition: ViewDefinition, at: string): Promise<PlannedView> {
    return this.sources.with(access, definition, (sources) => {
      const view = this.resolved(definition, at, sources);
      let plan = this.planned.get(view);
      if (!plan) this.planned.set(view, (plan = { view, question: this.questionOf(view, FIRST_ROW, access).question }));
      return Promise.resolve(plan);
    });
  }

  /** Whether readers of this scope can be answered. Throws as {@link check}, and what the scope is refused with. */
  async checkScope(access: Reader, definition: ViewDefinition, scope: ViewScope, at: string): Promise<void> {
    await this.sources.with(access, definition, (sources) => {
      this.questionOf(this.resolved(definition, at, sources), { ...FIRST_ROW, scope }, access);
      return Promise.resolve();
    });
  }

  private paging({ query, question }: Planned, { next, prev }: Outcome['page']): Paging {
    const { clock } = question.plan;
    const seal = (position: Outcome['page']['next'], to: 'after' | 'before') =>
      position && this.cursors.seal(query, position, to, clock);
    const [nextCursor, prevCursor] = [seal(next, 'after'), seal(prev, 'before')];
    return {
      limit: question.plan.limit,
      ...(nextCursor === undefined ? {} : { nextCursor }),
      ...(prevCursor === undefined ? {} : { prevCursor }),
    };
  }

  private answered<T>(
    access: Reader,
    definition: ViewDefinition,
    asked: Asked,
    at: string,
    signal: AbortSignal,
    answer: (planned: Planned, outcome: Outcome, ms: number) => T | Promise<T>,
  ): Promise<T> {
    return this.sources.with(access, definition, async (sources) => {
      const planned = resolving(() => this.prepare(access, definition, asked, at, sources, signal));
      const { way, question } = planned;
      const begin = performance.now();
      const outcome = await inSpan('view.read', { 'live_tables.tier': way.tier }, () => way.run(question, signal));
      const ms = performance.now() - begin;
      return shaping(() => answer(planned, outcome, ms));
    });
  }

  private prepare(
    access: Reader,
    definition: ViewDefinition,
    asked: Asked,
    at: string,
    sources: OpenSources,
    signal: AbortSignal,
  ): Planned {
    const view = this.resolved(definition, at, sources);
    const { question, query: own } = this.questionOf(view, asked, access);
    if (asked.rollup) mustRollUp(view, question);
    const way = this.ways.choose(question, access, sources);
    const query = `${way.tier} ${own}`;
    const { cursor } = asked.request;
    return {
      question: cursor === undefined ? question : this.behind(question, query, cursor),
      way,
      query,
      subtotals: async (data) => {
        if (!asked.rollup || question.kind !== 'groups') return undefined;
        const lines: string[] = [];
        for (const { plan, lines: made } of rollupsOf(question.plan, data)) {
          const level = { kind: 'groups', plan } as const;
          const { page } = await this.ways.choose(level, access, sources).run(level, signal);
          lines.push(...made(page.data));
        }
        return lines;
      },
      textOf: (report) =>
        [...sources.tables.values()].some(({ tableSchema }) => tableSchema.seen)
          ? '(not told: rules keep you from part of a table)'
          : report.text(),
      names: (id) => (id === null ? 'mini-DB' : (sources.connections.get(id)?.name ?? '')),
    };
  }

  /** The same columns as long as the sources are the same: much of a statement is kept by them. */
  private resolved(definition: ViewDefinition, at: string, sources: OpenSources): ResolvedView {
    const known = this.known.get(definition);
    const parts = [...sources.tables.values()].map(({ tableSchema }): object => tableSchema);
    for (const { objects } of sources.connections.values()) parts.push(objects);
    if (known?.view.at === at && areSame(known.parts, parts)) return known.view;
    const view = resolveView(definition, (source, place) => sources.find(source, place), at);
    this.known.set(definition, { parts, view });
    return view;
  }

  private questionOf(
    view: ResolvedView,
    asked: Asked,
    access: Reader,
  ): { readonly question: Question; readonly query: string } {
    const context = contextOf(access);
    if (asked.kind === 'groups') {
      const { timeZone = access.timeZone } = asked.request;
      const zoned = { ...context, zone: timeZone };
      const { plan, query } = resolveGroupsOfView(view, { ...asked.request, timeZone }, this.cursors, zoned);
      return { question: { kind: 'groups', plan }, query };
    }
    if (isGrouped(view.definition)) {
      const timeZone = asked.request.tz ?? access.timeZone;
      const zoned = { ...context, zone: timeZone };
      const { plan, query } = resolveGroupedView(
        view,
        { ...asked.request, timeZone },
        this.cursors,
        zoned,
        asked.scope,
      );
      return { question: { kind: 'groups', plan }, query };
    }
    const { plan, query } = resolveViewRead(view, asked.request, context, asked.scope);
    return { question: { kind: 'rows', plan }, query };
  }

  private behind(question: Question, query: string, cursor: string): Question {
    const at = this.cursors.openEdge(query, cursor);
    if (question.kind === 'groups') return { ...question, plan: { ...question.plan, ...behind(at) } };
    return { ...question, plan: { ...question.plan, ...edge(at) } };
  }
}

/** What a view leaves out of its groups must not be found by what is missing in a sum of those that it shows. */
function mustRollUp({ having }: ResolvedView, { kind }: Question): void {
  const refuse = (code: string, detail: string) => invalid([{ pointer: '/rollup', code, detail }]);
  if (kind !== 'groups') throw refuse('only_with_groups', 'rollup goes together with groups only.');
  if (having) throw refuse('not_with_having', 'The view leaves groups out, which its subtotals would tell of.');
}

const areSame = (a: readonly object[], b: readonly object[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

const contextOf = ({ principal, timeZone }: Reader): FilterContext => ({
  now: new Date(),
  zone: timeZone,
  me: principal?.userId ?? null,
});
