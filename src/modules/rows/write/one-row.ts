import { Injectable } from '@nestjs/common';
import { Answer, invalid, must, notFound, Problem, type Access, type DatabaseWork } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { LinksRefused, MiniDbWriter, type OpResult, type Submitted, type WriteResult } from '../../../engines/index.js';
import { concernsLinks, wholeOf, type RowOp, type TableSchema, type WriteContext } from '../../../query/index.js';
import { contextOf } from '../../tables/index.js';
import { Clashes } from './clashes.js';
import { inManner, type Manner } from './manner.js';
import { writeFacts } from './write-facts.js';
import { Referents, type Valued } from './referents.js';
import { RowJudge, type Ends } from './row-judge.js';

/** What the caller hears of a row that was changed, or would have been. */
export type ToAnswer = (op: OpResult, write: WriteResult, work?: DatabaseWork) => Answer;

/** Decides inside of the transaction what is done to the row. */
export type Prepare = (session: PgSession) => Promise<RowOp>;

/** A write of one row: judged, done in the manner that is asked for, answered. */
@Injectable()
export class OneRow {
  constructor(
    private readonly writer: MiniDbWriter,
    private readonly referents: Referents,
    private readonly rules: RowJudge,
    private readonly clashes: Clashes,
  ) {}

  /**
   * `table` is what the caller sees; values are for the columns of the whole.
   * @throws Problem `validation_failed`, `not_found`, `version_mismatch`, `unique_violation`, `ruled_out`
   */
  async write(access: Access, table: TableSchema, op: RowOp, manner: Manner, toAnswer: ToAnswer): Promise<Answer> {
    if (table.seen) return this.prepared(access, table, op, () => Promise.resolve(op), manner, toAnswer);
    await this.judge(access, table, op);
    return this.answered(table, table, toAnswer, (trying) => {
      trying(op);
      return this.writer.write(table, submitted(access, op, manner, toAnswer));
    });
  }

  /**
   * A write that depends on what the row holds. `asked` is what is known of it before; `as` says of its entry what is unusual.
   * @throws Problem as {@link write}; whatever `prepare` throws
   */
  async prepared(
    access: Access,
    table: TableSchema,
    asked: Valued,
    prepare: Prepare,
    manner: Manner,
    toAnswer: ToAnswer,
    as: Partial<WriteContext> = {},
  ): Promise<Answer> {
    await this.judge(access, table, asked);
    const whole = wholeOf(table);
    const links = concernsLinks(whole, [asked]);
    return this.answered(whole, table, toAnswer, async (trying) => {
      const { result } = await this.writer.writePrepared(whole, { links }, async (session) => {
        if (asked.kind !== 'upsert') await this.rules.mustBeAllowed(session, table, asked);
        const op = await prepare(session);
        const ends = await this.rules.mustReach(session, table, op);
        trying(op);
        return { ...submitted(access, op, manner, toAnswer, as), ...this.ruled(table, op, ends) };
      });
      return result;
    });
  }

  /** What goes with the write of somebody who does not see all of the table. */
  private ruled(table: TableSchema, op: RowOp, ends: Ends): Pick<Submitted, 'shownAs' | 'also'> {
    if (!table.seen) return {};
    return { shownAs: table, also: (session, { ops }) => this.rules.mustHaveBecome(session, table, op, ops, ends) };
  }

  private async judge(access: Access, table: TableSchema, op: Valued): Promise<void> {
    const missing = await this.referents.judge(access, table, [{ index: 0, op }]);
    if (missing.size > 0) throw invalid([...missing.values()].flat());
  }

  private async answered(
    table: TableSchema,
    seen: TableSchema,
    toAnswer: ToAnswer,
    write: (trying: (op: RowOp) => void) => Promise<WriteResult>,
  ): Promise<Answer> {
    const startedAt = performance.now();
    let tried: RowOp | undefined;
    try {
      const result = await write((op) => (tried = op));
      const work = { databaseMs: performance.now() - startedAt, queryFacts: writeFacts(table, tried ? [tried] : []) };
      return toAnswer(succeeded(result), result, work);
    } catch (error) {
      if (error instanceof LinksRefused) throw invalid([...error.findings.values()].flat());
      throw tried && Clashes.isOne(error) ? await this.clashes.ofOne(table, tried, error, seen) : error;
    }
  }
}

function submitted(
  access: Access,
  op: RowOp,
  manner: Manner,
  toAnswer: ToAnswer,
  as: Partial<WriteContext> = {},
): Submitted {
  const kept = inManner(manner, (result) => {
    const [done] = result.ops;
    return done?.status === 'ok' || done?.status === 'unchanged' ? toAnswer(done, result) : undefined;
  });
  return { context: { ...contextOf(access), ...as }, atomic: true, ops: [op], ...kept };
}

/** @throws Problem `not_found`, `version_mismatch` */
function succeeded({ ops }: WriteResult): OpResult {
  const result = must(ops[0], 'a write of one op has one result');
  if (result.status === 'not_found') throw notFound('row');
  if (result.status === 'version_mismatch') throw versionMismatch(result);
  return result;
}

/** 412 with the row as it is now, so that the client can show or merge it. */
function versionMismatch({ version, json }: OpResult): Problem {
  return new Problem('version_mismatch', {
    detail: `The row has version ${version ?? 0} now.`,
    extra: { current: JSON.parse(json ?? 'null') as unknown },
    headers: { etag: `"${version ?? ''}"` },
  });
}
