import {
  compileLockedRow,
  compileMutation,
  compileRowByKey,
  compileSourceCount,
  compileSourceGroupCount,
  compileSourceGroups,
  compileSourceRead,
  COUNT_BOUND,
  formOf,
  kindOf,
  sql,
  toStatement,
  type ColumnSchema,
  type Form,
  type Mutation,
  type ObjectCell,
  type ObjectSchema,
  type Position,
  type SourceGroups,
  type SourceRead,
  type Sql,
  type SqlDialect,
  type ValueKind,
} from '../../../query/index.js';
import { Problem } from '../../../common/index.js';
import type {
  ConnectionTarget,
  ExternalCapabilities,
  ExternalEngine,
  ExternalLimits,
  FoundObject,
  Mutated,
  SourcePage,
  Told,
} from '../external-engine.js';
import type { Moment, Session } from './session.js';
import { SessionPool } from './session-pool.js';

/** A cell as the driver gave it. */
export type Cell = string | number | Buffer | null;
export type Row = readonly Cell[];

/** What a column of the answer holds. */
export interface Output {
  readonly key: string;
  readonly kind: ValueKind;
  readonly form: Form;
}

export interface SqlSession extends Session {
  readonly serverVersion: string;
  /** @throws what the server answered, a Problem, the reason of `signal`, or SessionLost */
  run(statement: Sql, maxRows: number, signal?: AbortSignal): Promise<readonly Row[]>;
  /** Statements that begin and end transactions. */
  command(text: TransactionStatement): Promise<void>;
}

export type TransactionStatement =
  'start transaction read write' | 'set constraints all immediate' | 'commit' | 'rollback';

type Insert = Extract<Mutation, { readonly op: 'insert' }>;
type Change = Exclude<Mutation, Insert>;

/** What databases that speak SQL have in common. Sessions read only, but for the transaction of a change. */
export abstract class SqlEngine<S extends SqlSession> implements ExternalEngine {
  abstract readonly capabilities: ExternalCapabilities;

  private readonly sessions: SessionPool<S>;

  constructor(
    protected readonly target: ConnectionTarget,
    protected readonly limits: ExternalLimits,
    protected readonly dialect: SqlDialect,
  ) {
    this.sessions = new SessionPool(limits, async (signal) => {
      try {
        return await this.open(signal);
      } catch (error) {
        throw signal?.aborted ? error : this.translate(error, 'signing in');
      }
    });
  }

  protected abstract open(signal?: AbortSignal): Promise<S>;
  /** What a failure means to our callers. */
  protected abstract translate(error: unknown, during: Moment): unknown;
  protected abstract look(session: S, signal?: AbortSignal): Promise<readonly FoundObject[]>;
  /** JSON of an object with these members, made of the cells that the dialect shows of them. */
  protected abstract objectJson(outputs: readonly Output[], cells: Row): string;
  /** The same of a row of a page, for engines that look at all of them together in {@link checkPage}. */
  protected pageJson(outputs: readonly Output[], cells: Row): string {
    return this.objectJson(outputs, cells);
  }
  /** Throws where the rows of a page are not what was asked for; each is an object of objects with the members of `parts`. */
  protected checkPage(_data: string, _rows: number, _parts: readonly (readonly Output[])[]): void {
    // What is made by us needs no look.
  }
  /** Lets rules speak that would wait for the end of the transaction: nobody shall hear of a change that these refuse. */
  protected settle(_session: S): Promise<void> {
    return Promise.resolve();
  }

  /** Asks in the dialect, and once more in another one where the database does not take what that made of it. */
  protected inDialect<T>(ask: (dialect: SqlDialect) => Promise<T>): Promise<T> {
    return ask(this.dialect);
  }

  protected abstract insert(session: S, mutation: Insert): Promise<Mutated>;

  probe(signal?: AbortSignal): Promise<{ readonly serverVersion: string }> {
    return this.reading(signal, async (session) => {
      // One that was kept may have ended unnoticed.
      await session.run(sql`select 1`, 1, signal);
      return { serverVersion: session.serverVersion };
    });
  }

  discover(signal?: AbortSignal): Promise<readonly FoundObject[]> {
    return this.reading(signal, (session) => this.look(session, signal));
  }

  read(plan: SourceRead, signal?: AbortSignal): Promise<SourcePage> {
    return this.reading(signal, async (session) => {
      const page = await this.page(session, plan, signal);
      return plan.count === 'none'
        ? page
        : { ...page, ...(await this.counted(session, plan, compileSourceCount, signal)) };
    });
  }

  /** A page of rows, of which the statement gives one by one what the dialect shows. */
  protected async page(session: S, plan: SourceRead, signal?: AbortSignal): Promise<SourcePage> {
    const outputs = this.outputsOf(plan.select);
    const { rows, shown } = await this.inDialect(async (dialect) => {
      const compiled = compileSourceRead(plan, dialect);
      return { rows: await session.run(compiled.sql, plan.limit + 1, signal), shown: compiled.shown };
    });
    const page = pageOf(rows, plan, shown, (row) => `{"fields":${this.pageJson(outputs, row)}}`);
    this.checkPage(page.data, page.rows, [outputs]);
    return page;
  }

  readGroups(plan: SourceGroups, signal?: AbortSignal): Promise<SourcePage> {
    const group = this.outputsOf(plan.groups.map(({ output }) => output));
    const values = this.outputsOf(plan.aggregates.map(({ output }) => output));
    return this.reading(signal, async (session) => {
      const { rows, inGroup, inValues } = await this.inDialect(async (dialect) => {
        const compiled = compileSourceGroups(plan, dialect);
        const found = await session.run(compiled.sql, plan.limit + 1, signal);
        return { rows: found, inGroup: compiled.group, inValues: compiled.values };
      });
      const groupJson = (row: Row): string =>
        `{"group":${this.pageJson(group, row)},"values":${this.pageJson(values, row.slice(inGroup))}}`;
      const page = pageOf(rows, plan, inGroup + inValues, groupJson);
      this.checkPage(page.data, page.rows, [group, values]);
      return { ...page, ...(await this.counted(session, plan, compileSourceGroupCount, signal)) };
    });
  }

  describe(plan: SourceRead | SourceGroups): string {
    const { sql: statement } =
      'select' in plan ? compileSourceRead(plan, this.dialect) : compileSourceGroups(plan, this.dialect);
    return toStatement(statement).text;
  }

  async mutate(mutation: Mutation, told?: Told): Promise<Mutated | undefined> {
    if (this.target.access !== 'read-write') throw new Problem('read_only_connection');
    // Never twice: it may be done although nobody heard of it.
    return this.asking({ repeatable: false, signal: undefined }, async (session) => {
      await session.command('start transaction read write');
      try {
        const changed = await (mutation.op === 'insert'
          ? this.insert(session, mutation)
          : this.change(session, mutation));
        if (changed && told) {
          await this.settle(session);
          await told(changed);
        }
        await session.command('commit');
        return changed;
      } catch (error) {
        await session.command('rollback').catch((failed: unknown) => session.fail(failed));
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.sessions.close();
    return Promise.resolve();
  }

  protected outputsOf(columns: readonly ColumnSchema[]): readonly Output[] {
    return columns.map((column) => ({ key: column.key, kind: kindOf(column), form: formOf(this.dialect, column) }));
  }

  /** The fields of the row of this key, null where there is none. */
  protected async rowOf(session: S, object: ObjectSchema, key: readonly ObjectCell[]): Promise<string | null> {
    const [row] = await this.inDialect((dialect) => session.run(compileRowByKey(object, key, dialect).sql, 1));
    return row ? this.objectJson(this.outputsOf(object.columns), row) : null;
  }

  private async change(session: S, mutation: Change): Promise<Mutated | undefined> {
    const { object } = mutation;
    const { row, shown } = await this.inDialect(async (dialect) => {
      const compiled = compileLockedRow(mutation, dialect);
      const [found] = await session.run(compiled.sql, 1);
      return { row: found, shown: compiled.shown };
    });
    // No row, or one that somebody has changed: nothing is done.
    if (!row || Number(row[shown]) !== 1) return undefined;
    const before = this.objectJson(this.outputsOf(object.columns), row);
    await this.inDialect((dialect) => session.run(compileMutation(mutation, dialect), 0));
    // Of a deleted one too: a trigger may have kept it, as one that is only marked.
    const after = await this.rowOf(session, object, mutation.op === 'delete' ? mutation.key : keyAfter(mutation));
    if (mutation.op === 'delete' && after === before)
      throw new Problem('constraint_violation', { detail: 'A rule or a trigger of the table keeps the row.' });
    return { before, after };
  }

  private async counted<P extends SourceRead | SourceGroups>(
    session: S,
    plan: P,
    compile: (plan: P, dialect: SqlDialect) => Sql,
    signal: AbortSignal | undefined,
  ): Promise<Pick<SourcePage, 'count'>> {
    const { count: mode } = plan;
    if (mode === 'none') return {};
    const estimate = mode === 'estimated' && 'select' in plan ? estimateOf(plan) : null;
    if (mode === 'estimated' && estimate !== null) return { count: { mode, value: estimate, relation: 'estimate' } };
    const counting = mode === 'exact' ? plan : { ...plan, count: 'bounded' as const };
    const [row] = await this.inDialect((dialect) => session.run(compile(counting, dialect), 1, signal));
    const total = Number(row?.[0] ?? NaN);
    if (!Number.isSafeInteger(total) || total < 0) throw new Error('a count that is none');
    const more = mode !== 'exact' && total > COUNT_BOUND;
    return { count: { mode, value: more ? COUNT_BOUND : total, relation: more ? 'atLeast' : 'exact' } };
  }

  private reading<T>(signal: AbortSignal | undefined, work: (session: S) => Promise<T>): Promise<T> {
    return this.asking({ repeatable: true, signal }, work);
  }

  private async asking<T>(
    how: { readonly repeatable: boolean; readonly signal: AbortSignal | undefined },
    work: (session: S) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.sessions.use(work, how);
    } catch (error) {
      throw how.signal?.aborted ? error : this.translate(error, how.repeatable ? 'reading' : 'changing');
    }
  }
}

/** One row more than the page has tells that there is another. */
function pageOf(
  rows: readonly Row[],
  { limit, orderBy }: Pick<SourceRead, 'limit' | 'orderBy'>,
  shown: number,
  json: (row: Row) => string,
): SourcePage {
  if (rows.some(({ length }) => length !== shown + orderBy.length))
    throw new Error('other columns than were asked for');
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    data: page.map(json).join(',\n'),
    rows: page.length,
    ...(rows.length > limit && last ? { next: positionOf(last.slice(shown)) } : {}),
  };
}

/** Keys as the driver gave them, which the dialect binds back. */
const positionOf = (keys: Row): Position => keys.map((key) => (Buffer.isBuffer(key) ? key.toString('utf8') : key));

/** What the database thinks: of a whole object only. */
const estimateOf = ({ from, where }: SourceRead): number | null =>
  where.kind === 'true' && from.joins.length === 0 ? from.object.estimatedRows : null;

/** An update may change the key itself. */
const keyAfter = ({ key, values }: Extract<Mutation, { readonly op: 'update' }>): readonly ObjectCell[] =>
  key.map((cell) => values.find(({ column }) => column === cell.column) ?? cell);
