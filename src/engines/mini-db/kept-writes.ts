import { Injectable } from '@nestjs/common';
import { must, Problem } from '../../common/index.js';
import { REPEATABLE_MS, type RequestKey } from '../../database/main/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import {
  forgetAnswers,
  keepAnswers,
  keptAnswer,
  toStatement,
  type RowWrite,
  type TableSchema,
} from '../../query/index.js';
import { reread } from './reread.js';
import type { WriteResult } from './write-result.js';

/** What makes a write one that is done once: its answer is kept in its own transaction, for whoever repeats it. */
export interface Keep {
  readonly key: RequestKey;
  /** The answer as text; undefined where the write did not succeed, so that a repetition is tried anew. */
  answer(result: WriteResult): string | undefined;
}

/** A write as it is handed in. */
export interface Submitted extends RowWrite {
  readonly keep?: Keep;
  /** What the writer sees of the table, where that is not all: its rows are answered with as he sees them, or without where he does not. */
  readonly shownAs?: TableSchema;
  /** What else belongs into its transaction, behind the rows. May be called again, with another result, where the transaction is. */
  readonly also?: (session: PgSession, result: WriteResult) => Promise<void>;
}

/** Somebody has done it under the same key; nothing was written. Never reaches a client: what was answered then does. */
export class DoneBefore extends Error {
  constructor() {
    super('a write was done under this key before');
    this.name = 'DoneBefore';
  }
}

/**
 * Does what belongs to writes besides their rows, inside of their transaction.
 * @returns the results as they are to be answered
 * @throws DoneBefore; whatever one's `also` throws
 */
export async function completeAll(
  session: PgSession,
  table: TableSchema,
  writes: readonly Submitted[],
  written: readonly WriteResult[],
): Promise<WriteResult[]> {
  const results: WriteResult[] = [];
  for (const [i, result] of written.entries()) results.push(await shown(session, result, writes[i]?.shownAs));
  await keepAll(session, table, writes, results);
  for (const [i, { also }] of writes.entries()) if (also) await also(session, must(results[i], 'a write has a result'));
  return results;
}

/** A result with its rows as somebody sees them who does not see all. */
async function shown(session: PgSession, result: WriteResult, table: TableSchema | undefined): Promise<WriteResult> {
  if (!table) return result;
  const [read] = await reread(session, table, [
    { ...result, ops: result.ops.map((op) => (op.json === undefined ? op : { ...op, json: NOT_SEEN })) },
  ]);
  const ops = must(read, 'one result was given').ops.map(({ json, ...op }) =>
    json === undefined || json === NOT_SEEN ? op : { ...op, json },
  );
  return { ...result, ops };
}

/** Stands where the text of a row that is not seen would be. */
const NOT_SEEN = '';

/** Keeps the answers of writes that took place. */
async function keepAll(
  session: PgSession,
  table: TableSchema,
  writes: readonly Pick<Submitted, 'keep'>[],
  results: readonly WriteResult[],
): Promise<void> {
  const answers = writes.flatMap(({ keep }, i) => {
    const result = results[i];
    const answer = keep && result ? keep.answer(result) : undefined;
    return keep && answer !== undefined ? [{ ...hexOf(keep.key), answer }] : [];
  });
  if (answers.length > 0) await keepAnswer(session, table.physical.schema, answers);
}

async function keepAnswer(
  session: PgSession,
  schema: string,
  answers: readonly { readonly name: string; readonly request: string; readonly answer: string }[],
): Promise<void> {
  const kept = await session.query(toStatement(keepAnswers(schema, answers, REPEATABLE_MS)));
  // Whose key is taken, by a transaction that was committed while this one waited for it, is not among them.
  if (kept.length < answers.length) throw new DoneBefore();
}

/** Answers of writes that can be given again, which every base keeps itself. */
@Injectable()
export class KeptWrites {
  constructor(private readonly database: MiniDatabase) {}

  /** The answer that was given under the key. @throws Problem `idempotency_mismatch` something else was asked for then */
  async find(schema: string, key: RequestKey): Promise<string | undefined> {
    const { name, request } = hexOf(key);
    const [row] = await this.database.query(toStatement(keptAnswer(schema, name)));
    if (!row) return undefined;
    if (row[0] !== request) throw new Problem('idempotency_mismatch');
    return row[1] ?? undefined;
  }

  /** Keeps the answer of a write that had nothing to do, and so has no transaction. @throws DoneBefore */
  keepNothing(table: TableSchema, write: Pick<Submitted, 'keep'>, result: WriteResult): Promise<void> {
    return keepAll(this.database, table, [write], [result]);
  }

  /** Keeps an answer in the base that is of no write alone, inside of the transaction that it tells of if there is one. @throws DoneBefore */
  async keep(schema: string, key: RequestKey, answer: string, session: PgSession = this.database): Promise<void> {
    await keepAnswer(session, schema, [{ ...hexOf(key), answer }]);
  }

  /** Removes answers that nobody can ask for any more. @returns how many */
  async forget(schema: string, atMost: number): Promise<number> {
    const [row] = await this.database.query(toStatement(forgetAnswers(schema, atMost)));
    return Number(row?.[0]);
  }
}

const hexOf = ({ name, request }: RequestKey) => ({ name: name.toString('hex'), request: request.toString('hex') });
