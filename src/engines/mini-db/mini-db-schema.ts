import { Injectable } from '@nestjs/common';
import { Problem, rowsInTheWay, type Id, type ProblemItem } from '../../common/index.js';
import { faultPoint } from '../../config/index.js';
import { asOwner, MiniDatabase, type PgRow, type PgSession } from '../../database/mini/index.js';
import {
  ident,
  integer,
  literal,
  sql,
  tableName,
  toStatement,
  value,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import { changedByHand, isOtherStructure, pgError } from './pg-errors.js';

const LOCK_RETRIES = 8;
/** So long may a statement take that copies rows. */
const COPYING_MS = 10 * 60_000;
/** So long the maker of an operation waits to learn what became of it. */
const SETTLE_WAIT_MS = 10_000;

/** A structure change that copies rows, too. With `snapshot` it reads all of them as they were at one moment. */
export interface Copying {
  readonly snapshot: boolean;
}

/** Something that the rows must be like for a structure change: a look at them, and what is wrong with what it saw. */
export interface RowCheck {
  readonly look: Sql;
  readonly judge: (rows: readonly PgRow[]) => readonly ProblemItem[];
}

/** Looked at behind the lock, within the transaction of the change: nobody writes anything else until it is committed. */
export interface RowConditions {
  readonly lock: Sql;
  readonly checks: readonly RowCheck[];
}

/** Runs structure changes of a base, each as one transaction that also records that it took place. */
@Injectable()
export class MiniDbSchema {
  constructor(private readonly database: MiniDatabase) {}

  /**
   * Runs the statements and records the operation, all or nothing; a repeat is refused by the record's primary key.
   * Waits for locks a short while at a time only, so that a long read never makes everybody behind it wait.
   * @throws AlreadyDecided the operation was applied or cancelled before
   * @throws Problem `schema_busy`, `unique_violation`, `limit_reached`; `rows_in_the_way` with all that the conditions found
   */
  async apply(
    schema: string,
    opId: Id,
    statements: readonly Sql[],
    { conditions, copying }: { readonly conditions?: RowConditions; readonly copying?: Copying } = {},
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.database.transaction(async (session) => {
          await begin(session, copying);
          await session.query(asOwner(schema));
          await session.query(toStatement(sql`select pg_advisory_xact_lock(${lockOf(opId)})`));
          if (conditions) await hold(session, conditions);
          for (const statement of statements)
            await session.query({ ...toStatement(statement), ...(copying ? { timeoutMs: COPYING_MS } : {}) });
          await session.query(
            toStatement(
              sql`insert into ${ident(schema, '_applied')} (op_id, outcome) values (${value(opId, 'uuid')}, 'applied')`,
            ),
          );
          await faultPoint('schema.applying');
        });
        return;
      } catch (error) {
        if (attempt > LOCK_RETRIES || pgError(error)?.code !== '55P03') throw refusal(error);
        await new Promise((resolve) => setTimeout(resolve, 50 * attempt + Math.random() * 50));
      }
    }
  }

  /**
   * Decides an operation whose maker is gone: `applied` if it took place, otherwise it is cancelled here and now, so that
   * a late maker can no longer apply it. `running` while the maker's transaction is still open, which decides nothing;
   * with `wait` that is given a while to end.
   */
  async settle(schema: string, opId: Id, { wait }: { readonly wait: boolean }): Promise<Settled> {
    for (const until = Date.now() + SETTLE_WAIT_MS; ;) {
      const settled = await this.settleNow(schema, opId);
      if (settled !== 'running' || !wait || Date.now() > until) return settled;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private async settleNow(schema: string, opId: Id): Promise<Settled> {
    const isOver = sql`pg_try_advisory_xact_lock(${lockOf(opId)})`;
    const [row] = await this.database.query(toStatement(sql`select ${isOver}`));
    if (row?.[0] !== 't') return 'running';
    // Only now: a schema that was not there before may have come with the commit.
    if (!(await this.exists(schema))) return 'cancelled';
    await this.database.query(
      toStatement(
        sql`insert into ${ident(schema, '_applied')} (op_id, outcome) select ${value(opId, 'uuid')}, 'cancelled' where ${isOver} on conflict do nothing`,
      ),
    );
    return (await this.outcome(schema, opId)) ?? 'running';
  }

  /** Whether the operation took place. Decides nothing: one that did not may still do so. */
  async isApplied(schema: string, opId: Id): Promise<boolean> {
    return (await this.exists(schema)) && (await this.outcome(schema, opId)) === 'applied';
  }

  /** How many live rows the tables have together; counts no further than just past `most`. */
  async countRows(tables: readonly TableSchema[], most: number): Promise<number> {
    let rows = 0;
    for (const table of tables) {
      const [row] = await this.database.query(
        toStatement(
          sql`select count(*) from (select 1 from ${tableName(table)} where _deleted_at is null limit ${integer(most + 1 - rows)}) r`,
        ),
      );
      rows += Number(row?.[0]);
      if (rows > most) break;
    }
    return rows;
  }

  /** Reads what rows are like, for a change that may follow. @throws Problem `schema_busy` the structure is another by now */
  async look(statement: Sql): Promise<PgRow[]> {
    try {
      return await this.database.query(toStatement(statement));
    } catch (error) {
      if (!isOtherStructure(error)) throw error;
      throw new Problem('schema_busy', {
        detail: 'The structure was changed just now. Try again.',
        headers: { 'retry-after': '1' },
        cause: error,
      });
    }
  }

  /** A statement of the owner that changes nothing for anybody, and may be repeated. @throws Problem `schema_busy` */
  async validate(schema: string, statement: Sql): Promise<void> {
    try {
      await this.database.transaction(async (session) => {
        await begin(session, { snapshot: false });
        await session.query(asOwner(schema));
        await session.query({ ...toStatement(statement), timeoutMs: COPYING_MS });
      });
    } catch (error) {
      throw refusal(error);
    }
  }

  /** Removes a base's schema with everything in it, if it is there. */
  async drop(schema: string): Promise<void> {
    await this.database.transaction(async (session) => {
      await session.query(asOwner(schema));
      await session.query(toStatement(sql`drop schema if exists ${ident(schema)} cascade`));
    });
  }

  private async exists(schema: string): Promise<boolean> {
    const [row] = await this.database.query({
      text: 'select 1 from pg_namespace where nspname = $1',
      values: [schema],
    });
    return row !== undefined;
  }

  private async outcome(schema: string, opId: Id): Promise<'applied' | 'cancelled' | undefined> {
    const [row] = await this.database.query(
      toStatement(sql`select outcome from ${ident(schema, '_applied')} where op_id = ${value(opId, 'uuid')}`),
    );
    return row === undefined ? undefined : row[0] === 'applied' ? 'applied' : 'cancelled';
  }
}

type Settled = 'applied' | 'cancelled' | 'running';

/** A lock that the maker holds for as long as its transaction is open, so that nobody takes a long copy for an abandoned one. */
const lockOf = (opId: Id): Sql => sql`hashtextextended(${literal('schema-op:')} || ${value(opId, 'text')}, 0)`;

async function begin(session: PgSession, copying: Copying | undefined): Promise<void> {
  // Before everything else: PostgreSQL refuses it once the transaction has read something (manual, SET TRANSACTION).
  if (copying?.snapshot) await session.query({ text: 'set transaction isolation level repeatable read', values: [] });
  await session.query({ text: "set local lock_timeout = '400ms'", values: [] });
  if (copying) await session.query({ text: `set local statement_timeout = ${COPYING_MS}`, values: [] });
}

async function hold(session: PgSession, { lock, checks }: RowConditions): Promise<void> {
  await session.query(toStatement(lock));
  const errors: ProblemItem[] = [];
  for (const { look, judge } of checks) errors.push(...judge(await session.query(toStatement(look))));
  if (errors.length > 0) throw rowsInTheWay(errors);
}

/** What a refused structure change means to its maker. */
function refusal(error: unknown): unknown {
  const pg = pgError(error);
  switch (pg?.code) {
    case '23505':
      if (pg.table === '_applied') return new AlreadyDecided();
      return new Problem('unique_violation', {
        detail: 'The rows that are there would not be unique.',
        errors: [
          { pointer: '/unique', code: 'unique_violation', detail: 'The rows that are there would not be unique.' },
        ],
        cause: error,
      });
    case '55P03':
      return new Problem('schema_busy', {
        detail: 'The table is in use without a pause. Try again in a moment.',
        headers: { 'retry-after': '2' },
        cause: error,
      });
    case '54000':
      return rowsInTheWay([
        {
          pointer: '',
          code: 'values_too_long',
          detail: 'A row has values that are too long for a unique index (about 2,700 bytes at most).',
        },
      ]);
    case '54011':
      return new Problem('limit_reached', {
        detail: 'Too many columns of this table were deleted lately; they count until they are purged.',
        cause: error,
      });
    // A column or a table is not there, or there already. Nobody else changes the base meanwhile, so it was no change of ours.
    case '42703':
    case '42P01':
    case '42701':
    case '42P07':
      return changedByHand(error);
    default:
      return error;
  }
}

/** The operation was decided before: applied by us earlier, or cancelled by recovery. */
export class AlreadyDecided extends Error {
  constructor() {
    super('the schema operation was decided before');
    this.name = 'AlreadyDecided';
  }
}
