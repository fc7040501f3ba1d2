import { Injectable } from '@nestjs/common';
import { must, notFound, Problem, type Id } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { MiniDbLookup, type OpResult, type Submitted, type WriteResult } from '../../../engines/index.js';
import { linkedEnds, mayBecome, mayChange, type LinkedEnd } from './linked-ends.js';
import {
  isLink,
  rowFilter,
  TRUE,
  wholeOf,
  type RowFilter,
  type RowOp,
  type TableSchema,
} from '../../../query/index.js';

/** What is wrong with ops, by their place in the write. */
export type Refusals = ReadonlyMap<number, Problem>;

/** Rows at other ends of links that ops change, and the ops that must not. */
export interface Ends {
  readonly rows: readonly LinkedEnd[];
  readonly refused: Refusals;
}

export type WritePortion = (portion: Submitted) => Promise<WriteResult>;

const EVERY_ROW: RowFilter = rowFilter(TRUE);

/** Asks rules about changes of rows, inside of the transaction that makes them. Tables that are seen as a whole have none. */
@Injectable()
export class RowJudge {
  constructor(private readonly lookup: MiniDbLookup) {}

  /**
   * Before the change, under the locks of the rows. A row that is not seen is not there; one that is seen may be one that must not be
   * changed.
   */
  async before(session: PgSession, table: TableSchema, ops: readonly RowOp[]): Promise<Refusals> {
    const { seen } = table;
    const asked = ops.flatMap((op) => (op.kind === 'update' || op.kind === 'delete' ? [op.id] : []));
    if (!seen || asked.length === 0) return NONE;
    const whole = wholeOf(table);
    const there = await this.lookup.held(session, whole, asked, []);
    const { rows = EVERY_ROW, writes } = seen;
    const conditions = [rows, writes?.update ?? EVERY_ROW, writes?.delete ?? EVERY_ROW];
    const verdicts = await this.lookup.judge(whole, [...there.keys()], conditions, session);
    return refusals(ops, (op) => {
      if (op.kind !== 'update' && op.kind !== 'delete') return undefined;
      const [isSeen, mayUpdate, mayDelete] = verdicts.get(op.id) ?? [];
      // What is not there at all is said by the write itself, with the same words.
      if (isSeen === undefined) return undefined;
      if (!isSeen) return notFound('row');
      return (op.kind === 'update' ? mayUpdate : mayDelete) ? undefined : ruledOut(`must not be ${WORDS[op.kind]}`);
    });
  }

  /** The rows that the ops change at other ends of links, before they do. Values have to be those that are written. */
  async ends(session: PgSession, table: TableSchema, ops: readonly RowOp[]): Promise<Ends> {
    if (!table.seen) return { rows: [], refused: NONE };
    const rows = await linkedEnds(this.lookup, session, table, ops);
    return { rows, refused: await this.ofEnds(session, rows, ops, mayChange) };
  }

  /** After the change: what a row has become has to be allowed, too, and what has become of those at the other ends of its links. */
  async after(
    session: PgSession,
    table: TableSchema,
    ops: readonly RowOp[],
    results: readonly OpResult[],
    ends: Ends,
  ): Promise<Refusals> {
    const written = new Set(ops.filter((_, i) => results[i]?.status === 'ok'));
    const reached = ends.rows.filter(({ op }) => written.has(op));
    const linked = await this.ofEnds(session, reached, ops, mayBecome);
    return new Map([...linked, ...(await this.become(session, table, ops, results))]);
  }

  private async become(
    session: PgSession,
    table: TableSchema,
    ops: readonly RowOp[],
    results: readonly OpResult[],
  ): Promise<Refusals> {
    const { seen } = table;
    const changed = ops.flatMap(({ kind, id }, i) => (kind !== 'delete' && results[i]?.status === 'ok' ? [id] : []));
    if (!seen || changed.length === 0) return NONE;
    const { rows = EVERY_ROW, writes } = seen;
    const { update = EVERY_ROW, create = EVERY_ROW, delete: deletion = EVERY_ROW } = writes ?? {};
    const conditions = [rows, update, create, deletion];
    const verdicts = await this.lookup.judge(wholeOf(table), changed, conditions, session);
    return refusals(ops, (op, i) => {
      if (op.kind === 'delete' || results[i]?.status !== 'ok') return undefined;
      const [isSeen, mayBecome, mayBeNew, mayBeDeleted] = must(verdicts.get(op.id), 'a row that was written is there');
      switch (op.kind) {
        case 'create':
          return mayBeNew ? undefined : ruledOut('must not be made like this');
        case 'update':
          return mayBecome ? undefined : ruledOut('must not become like this');
        case 'restore':
          if (!isSeen) return notFound('row');
          // Whoever may not put it into the trash does not take it out either.
          if (!mayBeDeleted) return ruledOut('must not be restored');
          // Links, which it lost, it has anew; any other value is a change of it.
          return mayBecome || [...op.values.keys()].every(isLink) ? undefined : ruledOut('must not become like this');
      }
    });
  }

  /** What rules of their tables say of the rows at other ends, as these are. One that is not there is told by the write itself. */
  private async ofEnds(
    session: PgSession,
    ends: readonly LinkedEnd[],
    ops: readonly RowOp[],
    conditionsOf: (table: TableSchema) => readonly RowFilter[],
  ): Promise<Refusals> {
    const keys = new Map<RowOp, string>();
    for (const table of new Set(ends.map((end) => end.table))) {
      const own = ends.filter((end) => end.table === table);
      const ids = [...new Set(own.map(({ id }) => id))];
      const verdicts = await this.lookup.judge(wholeOf(table), ids, conditionsOf(table), session);
      for (const { op, key, id } of own) if (verdicts.get(id)?.includes(false)) keys.set(op, key);
    }
    return refusals(ops, (op) => {
      const key = keys.get(op);
      return key === undefined ? undefined : ruledOut(`must not be given these links: ${key}`);
    });
  }

  /** As {@link before}, of one row. @throws Problem `not_found`, `ruled_out` */
  async mustBeAllowed(session: PgSession, table: TableSchema, op: RowOp): Promise<void> {
    throwFirst(await this.before(session, table, [op]));
  }

  /** As {@link after}, of one row. @throws Problem `ruled_out`, `not_found` */
  async mustHaveBecome(
    session: PgSession,
    table: TableSchema,
    op: RowOp,
    results: readonly OpResult[],
    ends: Ends,
  ): Promise<void> {
    throwFirst(await this.after(session, table, [op], results, ends));
  }

  /** As {@link ends}, of one row. @throws Problem `ruled_out` */
  async mustReach(session: PgSession, table: TableSchema, op: RowOp): Promise<Ends> {
    const ends = await this.ends(session, table, [op]);
    throwFirst(ends.refused);
    return ends;
  }

  /** As {@link before}. @throws Problem `ruled_out`, `not_found`, with the first of the rows */
  async mustAllBeAllowed(session: PgSession, table: TableSchema, ops: readonly RowOp[]): Promise<void> {
    mustBeNone(await this.before(session, table, ops), ops);
  }

  /** A write of several portions within what rules let the caller do. @throws Problem `ruled_out`, `not_found`, with the first of the rows */
  within(session: PgSession, table: TableSchema, write: WritePortion): WritePortion {
    if (!table.seen) return write;
    return async (portion) => {
      await this.mustAllBeAllowed(session, table, portion.ops);
      const ends = await this.ends(session, table, portion.ops);
      mustBeNone(ends.refused, portion.ops);
      const result = await write(portion);
      mustBeNone(await this.after(session, table, portion.ops, result.ops, ends), portion.ops);
      return result;
    };
  }

  /** Which of these rows are seen. */
  async seen(table: TableSchema, ids: readonly Id[], session?: PgSession): Promise<ReadonlySet<Id>> {
    return new Set((await this.lookup.versions(table, ids, session)).keys());
  }
}

const NONE: Refusals = new Map();
const WORDS = { update: 'changed', delete: 'deleted' } as const;

function refusals(ops: readonly RowOp[], judge: (op: RowOp, index: number) => Problem | undefined): Refusals {
  return new Map(
    ops.flatMap((op, i) => {
      const problem = judge(op, i);
      return problem ? [[i, problem] as const] : [];
    }),
  );
}

const ruledOut = (what: string): Problem =>
  new Problem('ruled_out', { detail: `Rules of the table say: this row ${what}.` });

function throwFirst(found: Refusals): void {
  const [problem] = found.values();
  if (problem) throw problem;
}

function mustBeNone(refused: Refusals, ops: readonly RowOp[]): void {
  const [first] = refused;
  if (!first) return;
  const [place, { code, message }] = first;
  const rowId = must(ops[place], 'a refusal belongs to an op').id;
  throw new Problem(code, { detail: message, errors: [{ pointer: '', code, detail: message, rowId }] });
}
