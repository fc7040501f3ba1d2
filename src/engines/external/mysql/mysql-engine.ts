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
  MYSQL,
  toPositional,
  type ColumnSchema,
  type CountMode,
  type Mutation,
  type ObjectCell,
  type ObjectSchema,
  type SourceGroups,
  type SourceRead,
  type Sql,
} from '../../../query/index.js';
import { Problem } from '../../../common/index.js';
import type {
  ConnectionTarget,
  ExternalCapabilities,
  ExternalEngine,
  ExternalLimits,
  FoundObject,
  Mutated,
  Outbound,
  SourcePage,
} from '../external-engine.js';
import { discover } from './discover.js';
import type { Cell } from './driver.js';
import { translate } from './mysql-errors.js';
import { objectJson, positionOf, type Output } from './row-json.js';
import { MysqlSession, type MysqlStatement } from './session.js';
import { SessionPool } from './session-pool.js';

/** What a change of one row tells, and what became of it. */
type Changed = Mutated | undefined;

/** A MySQL or MariaDB of somebody. Sessions read only, but for the transaction of a change. */
export class MysqlEngine implements ExternalEngine {
  readonly capabilities: ExternalCapabilities = { joins: true, jsonPaths: false, timeZones: false };

  private readonly sessions: SessionPool;

  constructor(
    private readonly target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    outbound: Outbound,
  ) {
    this.sessions = new SessionPool(limits, async (signal) => {
      try {
        return await MysqlSession.open(target, limits, outbound, signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw translate(error, 'signing in');
      }
    });
  }

  probe(signal?: AbortSignal): Promise<{ readonly serverVersion: string }> {
    return this.reading(signal, async (session) => {
      await session.run({ text: 'select 1', values: [] }, 1, signal);
      return { serverVersion: session.flavour.version };
    });
  }

  discover(signal?: AbortSignal): Promise<readonly FoundObject[]> {
    return this.reading(signal, (session) => discover(session, this.limits, signal));
  }

  read(plan: SourceRead, signal?: AbortSignal): Promise<SourcePage> {
    const outputs = plan.select.map(outputOf);
    const { sql, shown } = compileSourceRead(plan, MYSQL);
    const rowJson = (row: readonly Cell[]) => `{"fields":${objectJson(outputs, row)}}`;
    return this.reading(signal, async (session) => {
      const page = pageOf((await session.run(bound(sql), plan.limit + 1, signal)).rows, plan.limit, shown, rowJson);
      return { ...page, ...(await this.counted(session, plan, compileSourceCount, signal)) };
    });
  }

  readGroups(plan: SourceGroups, signal?: AbortSignal): Promise<SourcePage> {
    const group = plan.groups.map(({ output }) => outputOf(output));
    const values = plan.aggregates.map(({ output }) => outputOf(output));
    const { sql, group: inGroup, values: inValues } = compileSourceGroups(plan, MYSQL);
    const shown = inGroup + inValues;
    const groupJson = (row: readonly Cell[]) =>
      `{"group":${objectJson(group, row)},"values":${objectJson(values, row.slice(inGroup))}}`;
    return this.reading(signal, async (session) => {
      const page = pageOf((await session.run(bound(sql), plan.limit + 1, signal)).rows, plan.limit, shown, groupJson);
      return { ...page, ...(await this.counted(session, plan, compileSourceGroupCount, signal)) };
    });
  }

  async mutate(mutation: Mutation, signal?: AbortSignal): Promise<Changed> {
    if (this.target.access !== 'read-write') throw new Problem('read_only_connection');
    // Never twice: it may be done although nobody heard of it.
    return this.asking({ repeatable: false, signal }, async (session) => {
      await session.command('start transaction read write');
      try {
        const changed = await (mutation.op === 'insert'
          ? this.insert(session, mutation, signal)
          : this.change(session, mutation, signal));
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

  private async insert(
    session: MysqlSession,
    mutation: Extract<Mutation, { readonly op: 'insert' }>,
    signal: AbortSignal | undefined,
  ): Promise<Mutated> {
    const { insertId } = await session.run(bound(compileMutation(mutation, MYSQL)), 0, signal);
    const key = keyOfInserted(mutation, insertId);
    return { before: null, after: key ? await this.rowOf(session, mutation.object, key, signal) : null };
  }

  private async change(
    session: MysqlSession,
    mutation: Exclude<Mutation, { readonly op: 'insert' }>,
    signal: AbortSignal | undefined,
  ): Promise<Changed> {
    const { object } = mutation;
    const { sql, shown } = compileLockedRow(mutation, MYSQL);
    const [row] = (await session.run(bound(sql), 1, signal)).rows;
    if (!row) return undefined;
    const before = objectJson(object.columns.map(outputOf), row);
    // Somebody has the row otherwise: nothing is done.
    if (Number(row[shown]) !== 1) return undefined;
    await session.run(bound(compileMutation(mutation, MYSQL)), 0, signal);
    const after = mutation.op === 'delete' ? null : await this.rowOf(session, object, keyAfter(mutation), signal);
    return { before, after };
  }

  private async rowOf(
    session: MysqlSession,
    object: ObjectSchema,
    key: readonly ObjectCell[],
    signal: AbortSignal | undefined,
  ): Promise<string | null> {
    const { sql } = compileRowByKey(object, key, MYSQL);
    const [row] = (await session.run(bound(sql), 1, signal)).rows;
    return row ? objectJson(object.columns.map(outputOf), row) : null;
  }

  private async counted<P extends SourceRead | SourceGroups>(
    session: MysqlSession,
    plan: P,
    compile: (plan: P, dialect: typeof MYSQL) => Sql,
    signal: AbortSignal | undefined,
  ): Promise<Pick<SourcePage, 'count'>> {
    const mode: CountMode = plan.count;
    if (mode === 'none') return {};
    const estimate = mode === 'estimated' && 'select' in plan ? estimateOf(plan) : null;
    if (mode === 'estimated' && estimate !== null) return { count: { mode, value: estimate, relation: 'estimate' } };
    const counting = mode === 'exact' ? plan : { ...plan, count: 'bounded' as const };
    const [row] = (await session.run(bound(compile(counting, MYSQL)), 1, signal)).rows;
    const total = Number(row?.[0] ?? 0);
    const more = mode !== 'exact' && total > COUNT_BOUND;
    return { count: { mode, value: more ? COUNT_BOUND : total, relation: more ? 'atLeast' : 'exact' } };
  }

  private reading<T>(signal: AbortSignal | undefined, work: (session: MysqlSession) => Promise<T>): Promise<T> {
    return this.asking({ repeatable: true, signal }, work);
  }

  private async asking<T>(
    how: { readonly repeatable: boolean; readonly signal: AbortSignal | undefined },
    work: (session: MysqlSession) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.sessions.use(work, how);
    } catch (error) {
      how.signal?.throwIfAborted();
      throw translate(error, 'asking');
    }
  }
}

const bound = (sql: Sql): MysqlStatement => {
  const { text, values } = toPositional(sql);
  return { text, values: values.map((each) => (each === null ? null : String(each as string | number | boolean))) };
};

const outputOf = (column: ColumnSchema): Output => ({
  key: column.key,
  kind: kindOf(column),
  form: formOf(MYSQL, column),
});

/** One row more than the page has tells that there is another. */
function pageOf(
  rows: readonly (readonly Cell[])[],
  limit: number,
  shown: number,
  json: (row: readonly Cell[]) => string,
): SourcePage {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    data: page.map(json).join(),
    rows: page.length,
    ...(rows.length > limit && last ? { next: positionOf(last.slice(shown)) } : {}),
  };
}

/** What the database thinks: of a whole object only. */
const estimateOf = ({ from, where }: SourceRead): number | null =>
  where.kind === 'true' && from.joins.length === 0 ? from.object.estimatedRows : null;

/** By what an inserted row is found again: values that were given, or the number that the database gave. */
function keyOfInserted(
  { object, values }: Extract<Mutation, { readonly op: 'insert' }>,
  insertId: string,
): readonly ObjectCell[] | undefined {
  const cells = object.key.map((column): ObjectCell | undefined => {
    const given = values.find((cell) => cell.column === column && cell.value !== null);
    return given ?? (insertId === '0' || object.key.length > 1 ? undefined : { column, value: insertId });
  });
  const known = cells.filter((cell) => cell !== undefined);
  return known.length > 0 && known.length === cells.length ? known : undefined;
}

/** An update may change the key itself. */
const keyAfter = ({ key, values }: Extract<Mutation, { readonly op: 'update' }>): readonly ObjectCell[] =>
  key.map((cell) => values.find(({ column }) => column === cell.column) ?? cell);
