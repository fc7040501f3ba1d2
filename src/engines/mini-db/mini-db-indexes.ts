import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import {
  asOwnerOnConnection,
  MiniDatabase,
  MiniMaintenance,
  ownRole,
  type PgSession,
} from '../../database/mini/index.js';
import {
  analyzeTable,
  compileIndexState,
  compileRowEstimate,
  createIndex,
  dropIndex,
  indexName,
  toStatement,
  type IndexPlan,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import { pgError } from './pg-errors.js';

/** An index as PostgreSQL has it. */
interface IndexState {
  readonly valid: boolean;
  readonly ofTable: boolean;
  readonly unique: boolean;
  /** Physical names of the columns in keys, expressions and predicate. */
  readonly columns: readonly string[];
}

/** Why an index cannot be there, for good. */
export type IndexFailure = 'not_unique' | 'value_too_long' | 'search_unavailable' | 'out_of_space' | 'not_indexable';

/** Column of the predicate that every index of ours has. */
const PREDICATE = '_deleted_at';

/** Builds and drops indexes of the managed tables while they are used. Every call may be repeated, whatever became of the one before. */
@Injectable()
export class MiniDbIndexes {
  constructor(
    private readonly database: MiniDatabase,
    private readonly maintenance: MiniMaintenance,
  ) {}

  /**
   * Makes the index, unless it is there and `keep` says that it may stay. What a build that died left behind is removed first. When it
   * throws, nothing of the index is left, or {@link drop} will find it.
   * @throws IndexInTheWay somebody else is at this index
   */
  async build(table: TableSchema, indexId: Id, plan: IndexPlan, keep: boolean, signal: AbortSignal): Promise<void> {
    const name = indexName(table.id, indexId);
    const run = async (session: PgSession, statement: Sql) => session.query(toStatement(statement));
    await this.alone(table.physical.schema, indexId, signal, async (session) => {
      if (keep && (await this.isAsPlanned(table, indexId, plan, session))) return;
      await run(session, dropIndex(table.physical.schema, name));
      if (plan.kind === 'search') await this.enableSearch(session, table.physical.schema);
      try {
        await run(session, createIndex(table, name, plan));
        if (!(await this.isAsPlanned(table, indexId, plan, session))) throw new IndexInTheWay();
      } catch (error) {
        // An invalid index is of no use to readers, and refuses what is too long for it to writers all the same.
        if (!signal.aborted) await run(session, dropIndex(table.physical.schema, name));
        throw error;
      }
      // The index is good without it, only not always chosen; autovacuum does it, too.
      await run(session, analyzeTable(table)).catch(() => undefined);
    });
  }

  /** Removes the index, if it is there. */
  async drop(schema: string, tableId: Id, indexId: Id, signal: AbortSignal): Promise<void> {
    await this.alone(schema, indexId, signal, async (session) => {
      await session.query(toStatement(dropIndex(schema, indexName(tableId, indexId))));
    });
  }

  /** Whether the index is there, whole, on this table and on the columns that have these names now. */
  async isAsPlanned(
    table: TableSchema,
    indexId: Id,
    { kind, keys, unique = false }: IndexPlan,
    session: PgSession = this.database,
  ): Promise<boolean> {
    const state = await this.stateOf(table, indexName(table.id, indexId), session);
    // The id ends an order.
    const end = kind === 'search' || unique ? [] : ['_id'];
    const needed = [...new Set([...keys.map(({ column }) => column.physical), PREDICATE, ...end])];
    return (
      state !== undefined &&
      state.valid &&
      state.ofTable &&
      state.unique === unique &&
      state.columns.length === needed.length &&
      needed.every((name) => state.columns.includes(name))
    );
  }

  /** How many rows the table has, about; zero before PostgreSQL has counted for the first time. */
  async estimatedRows(table: TableSchema): Promise<number> {
    const [row] = await this.database.query(toStatement(compileRowEstimate(table)));
    return Math.max(0, Number(row?.[0] ?? 0));
  }

  /** Whether the server has what indexes of the kind `search` are made with (contrib module pg_trgm). */
  async canSearch(): Promise<boolean> {
    const rows = await this.database.query({
      text: "select from pg_available_extensions where name = 'pg_trgm'",
      values: [],
    });
    return rows.length > 0;
  }

  private async stateOf(table: TableSchema, name: string, session: PgSession): Promise<IndexState | undefined> {
    const [row] = await session.query(toStatement(compileIndexState(table, name)));
    if (!row) return undefined;
    const [valid, ofTable, columns, unique] = row;
    return {
      valid: valid === 't',
      ofTable: ofTable === 't',
      unique: unique === 't',
      columns: JSON.parse(columns ?? '[]') as string[],
    };
  }

  /** On a connection that nobody shares, and as the only one who works at this index: the node that had it before may still be at it. */
  private alone(
    schema: string,
    indexId: Id,
    signal: AbortSignal,
    work: (session: PgSession) => Promise<void>,
  ): Promise<void> {
    return this.maintenance.run(signal, async (session) => {
      // Ends with the connection.
      const [row] = await session.query({
        text: "select pg_try_advisory_lock(hashtextextended('index ' || $1::text, 0))",
        values: [indexId],
      });
      if (row?.[0] !== 't') throw new IndexInTheWay();
      await session.query(asOwnerOnConnection(schema));
      await work(session);
    });
  }

  /** A trusted extension: who owns the database may bring it in (manual, CREATE EXTENSION). */
  private async enableSearch(session: PgSession, schema: string): Promise<void> {
    await session.query(ownRole);
    try {
      await session.query({ text: 'create extension if not exists pg_trgm', values: [] });
    } catch (error) {
      // Two at once: the other one has made it.
      if (pgError(error)?.code !== '23505') throw error;
    } finally {
      await session.query(asOwnerOnConnection(schema));
    }
  }
}

/** Somebody else works at the index, or its table went away under it: to be tried again. */
export class IndexInTheWay extends Error {
  constructor() {
    super('somebody else is at this index');
    this.name = 'IndexInTheWay';
  }
}

/** What a failed build says of the table or the server; undefined for what may be otherwise the next time. */
export function indexFailure(error: unknown): IndexFailure | undefined {
  switch (pgError(error)?.code) {
    case '23505':
      return 'not_unique';
    case '54000':
      return 'value_too_long';
    case '42501':
    case '58P01':
    case '42704':
    case '0A000':
      return 'search_unavailable';
    case '53100':
      return 'out_of_space';
    default:
      return undefined;
  }
}
