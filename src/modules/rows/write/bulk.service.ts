import { Injectable } from '@nestjs/common';
import { must, Problem, type Access, type Answer, type Id, type ProblemItem } from '../../../common/index.js';
import {
  ChangeLog,
  KeptWrites,
  LinksRefused,
  toldTo,
  MiniDbLookup,
  MiniDbWriter,
  type OpResult,
  type Submitted,
  type WriteResult,
} from '../../../engines/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { concernsLinks, wholeOf, type RowOp, type TableSchema } from '../../../query/index.js';
import { contextOf, Fence } from '../../tables/index.js';
import { Clashes, ofSomeOp } from './clashes.js';
import { defaultsFor } from './defaults-for.js';
import { bulkAnswer, type BulkOutcome } from './bulk-answer.js';
import { parseBulk, type BulkEntry, type UnsettledOp, type UpsertOp } from './bulk-request.js';
import { inManner, type Manner } from './manner.js';
import { missingLinks } from './missing-links.js';
import { Referents } from './referents.js';
import { RowJudge, type Ends, type Refusals } from './row-judge.js';
import { broughtBy } from './settle.js';
import { changesOf, settleOps } from './settle-ops.js';
import { decideUpserts, type FindMatches, type Indexed } from './upsert.js';
import { writeFacts } from './write-facts.js';

/** Another writer may take a unique value between our look and our write; then we look again. */
const CLASH_RETRIES = 3;

type Failures = Map<number, Problem>;

/** Use case of changing up to a thousand rows in one transaction, under one number. */
@Injectable()
export class BulkService {
  constructor(
    private readonly fence: Fence,
    private readonly writer: MiniDbWriter,
    private readonly lookup: MiniDbLookup,
    private readonly log: ChangeLog,
    private readonly referents: Referents,
    private readonly rules: RowJudge,
    private readonly clashes: Clashes,
    private readonly kept: KeptWrites,
  ) {}

  /** @throws Problem `validation_failed` for a body that is no bulk call; `bulk_failed` with all findings when atomic */
  run(access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: seen }) => {
      const tableSchema = wholeOf(seen);
      const { mode, entries } = parseBulk(body, seen, defaultsFor(access));
      const startedAt = performance.now();
      const failures = judged(entries);
      await this.judgeReferents(access, seen, entries, failures);
      if (mode === 'atomic' && failures.size > 0) throw await this.allFindings(seen, entries, failures);
      const call: BulkCall = { access, table: tableSchema, seen, entries, mode, failures, manner };
      const outcome = await this.write(call);
      const databaseMs = performance.now() - startedAt;
      const ops = entries.flatMap(({ op }) => op ?? []);
      return bulkAnswer(entries, outcome, manner, { databaseMs, queryFacts: writeFacts(tableSchema, ops) });
    });
  }

  private async judgeReferents(
    access: Access,
    table: TableSchema,
    entries: readonly BulkEntry[],
    failures: Failures,
  ): Promise<void> {
    const open = entries.flatMap(({ index, op }) =>
      op && !failures.has(index) ? [{ index, op: withBrought(op) }] : [],
    );
    for (const [index, items] of await this.referents.judge(access, table, open))
      failures.set(index, refusedOp(index, items));
  }

  private async write(call: BulkCall): Promise<BulkOutcome> {
    const { table, seen, entries, mode, failures } = call;
    for (let attempt = 1; ;) {
      const open = entries.filter(({ index }) => !failures.has(index));
      if (open.length === 0) return this.nothingWritten(call);
      const ops = open.map(({ op, index }) => ({ index, op: must(op, 'an entry without findings has an op') }));
      let tried: readonly Indexed<RowOp>[] = [];
      try {
        const { write, result } = await this.execute(call, ops, {
          trying: (decided) => (tried = decided),
          again: attempt <= CLASH_RETRIES,
        });
        const outcome = outcomeOf(call, write, result);
        for (const [index, problem] of outcome.failures) failures.set(index, problem);
        if (mode === 'atomic' && failures.size > 0) throw new Refused();
        return outcome;
      } catch (error) {
        if (error instanceof MatchGone) {
          attempt++;
          continue;
        }
        if (error instanceof Refused) for (const [index, problem] of error.failures) failures.set(index, problem);
        if (error instanceof NothingLeft) return this.nothingWritten(call);
        // Of a partial call, what rules do not let rows become is left out; the rest is tried without.
        if (error instanceof Refused && mode === 'partial') continue;
        if (error instanceof Refused) throw await this.allFindings(seen, entries, failures);
        if (error instanceof LinksRefused) {
          for (const [at, items] of error.findings) {
            const { index } = must(tried[at], 'a finding belongs to an op that was tried');
            failures.set(index, refusedOp(index, items));
          }
          if (mode === 'atomic') throw await this.allFindings(seen, entries, failures);
          continue;
        }
        if (!Clashes.isOne(error)) throw error;
        const blamed = await this.clashes.blamed(table, tried, error, seen, contextOf(call.access));
        if (blamed.size === 0 && attempt++ > CLASH_RETRIES) throw ofSomeOp(toldTo(seen, error));
        for (const [index, problem] of blamed) failures.set(index, problem);
        if (mode === 'atomic' && blamed.size > 0) throw await this.allFindings(seen, entries, failures);
      }
    }
  }

  private async execute(
    call: BulkCall,
    ops: readonly IndexedOp[],
    { trying, again }: { readonly trying: (ops: readonly Indexed<RowOp>[]) => void; readonly again: boolean },
  ): Promise<{ write: BulkWrite; result: WriteResult }> {
    const { table, seen, mode } = call;
    const exclusive = ops.some(({ op }) => op.kind === 'upsert');
    if (!seen.seen && !exclusive && ops.every(({ op }) => changesOf(op).size === 0)) {
      const plain = ops as readonly Indexed<RowOp>[];
      trying(plain);
      const write = submitted(call, plain);
      return { write, result: await this.writer.write(table, write) };
    }
    const links = concernsLinks(
      table,
      ops.map(({ op }) => withBrought(op)),
    );
    return this.writer.writePrepared(table, { exclusive, links }, async (session) => {
      const decided = await decideUpserts(table, ops, (columns, records) =>
        this.lookup.matches(seen, columns, records, session),
      );
      const settled = await settleOps(decided.ops, (ids, columns) => this.lookup.held(session, table, ids, columns));
      const { ends, refused: ruled } = await this.ruled(session, seen, settled.ops);
      const refused = new Map([...decided.failures, ...settled.failures, ...ruled]);
      const allowed = settled.ops.filter(({ index }) => !ruled.has(index));
      if (mode === 'atomic' && refused.size > 0) throw new Refused(refused);
      if (allowed.length === 0) throw new NothingLeft(refused);
      trying(allowed);
      const write = submitted(call, allowed, refused);
      const matched = new Set(again ? ops.flatMap(({ op, index }) => (op.kind === 'upsert' ? [index] : [])) : []);
      if (!seen.seen && matched.size === 0) return write;
      const also: Submitted['also'] = async (inside, { ops: results }) => {
        const isLost = ({ status }: OpResult, at: number): boolean =>
          status === 'not_found' && matched.has(write.indexes[at] ?? -1);
        if (results.some(isLost)) throw new MatchGone();
        if (!seen.seen) return;
        const become = await this.rules.after(inside, seen, write.ops, results, ends);
        if (become.size > 0) throw new Refused(byIndex(allowed, become));
      };
      return { ...write, ...(seen.seen ? { shownAs: seen } : {}), also };
    });
  }

  /** What rules say of the ops before they are done, by their index in the call. */
  private async ruled(
    session: PgSession,
    seen: TableSchema,
    ops: readonly Indexed<RowOp>[],
  ): Promise<{ readonly ends: Ends; readonly refused: ReadonlyMap<number, Problem> }> {
    const all = ops.map(({ op }) => op);
    const found = await this.rules.before(session, seen, all);
    const ends = await this.rules.ends(session, seen, all);
    return { ends, refused: byIndex(ops, new Map([...ends.refused, ...found])) };
  }

  /**
   * An atomic call that is refused anyway still gets every finding: also which rows are gone or have another version, and
   * which values are taken, which linked rows are missing.
   */
  private async allFindings(seen: TableSchema, entries: readonly BulkEntry[], failures: Failures): Promise<Problem> {
    const table = wholeOf(seen);
    const versions = await this.lookup.versions(
      seen,
      entries.flatMap(({ op }) => (op && op.kind !== 'upsert' && op.kind !== 'create' ? [op.id] : [])),
    );
    for (const { op, index } of entries) {
      if (!op || (op.kind !== 'update' && op.kind !== 'delete')) continue;
      const version = versions.get(op.id);
      if (version === undefined) failures.set(index, rowProblem('not_found', index));
      else if (op.expectedVersion !== undefined && op.expectedVersion !== version)
        failures.set(index, rowProblem('version_mismatch', index));
    }
    const still = entries.flatMap(({ op, index }) => (op && !failures.has(index) ? [{ op, index }] : []));
    const dead = await missingLinks(table, still, (target, ids) => this.lookup.versions(target, ids));
    for (const [index, items] of dead) failures.set(index, refusedOp(index, items));
    const open = still.filter(({ index }) => !failures.has(index));
    const decided = await decideUpserts(table, open, this.finder(seen));
    const taken = await this.clashes.foreseen(table, decided.ops, seen);
    for (const [index, problem] of [...decided.failures, ...taken]) failures.set(index, problem);
    return bulkFailed(failures);
  }

  private readonly finder =
    (table: TableSchema): FindMatches =>
    (columns, records) =>
      this.lookup.matches(table, columns, records);

  private async nothingWritten({ table, entries, failures, manner }: BulkCall): Promise<BulkOutcome> {
    const [head] = await this.log.heads(table.physical.schema, [table.id]);
    const meta = { epoch: head?.epoch ?? '', seq: head?.seq ?? 0, ops: [] };
    const outcome = { failures, results: new Map(), meta };
    // Whoever repeats it hears the same, although it could be done by then.
    await this.kept.keepNothing(
      table,
      inManner(manner, () => bulkAnswer(entries, outcome, manner)),
      meta,
    );
    return outcome;
  }
}

type IndexedOp = Indexed<UnsettledOp | UpsertOp>;

/** A bulk call, and what is known to be wrong with it so far. */
interface BulkCall {
  readonly access: Access;
  readonly table: TableSchema;
  /** What the caller sees of it. */
  readonly seen: TableSchema;
  readonly entries: readonly BulkEntry[];
  readonly mode: 'atomic' | 'partial';
  readonly failures: Failures;
  readonly manner: Manner;
}

/** Not all of a call can be done. Rolls the transaction back on its way. */
class Refused extends Error {
  constructor(readonly failures: ReadonlyMap<number, Problem> = new Map()) {
    super('operations cannot be done');
  }
}

/** A row that an upsert matched went to the trash before it was written: the upsert has to look again. Rolls the transaction back on its way. */
class MatchGone extends Error {}

/** None of the ops can be done; a statement without ops would be none. */
class NothingLeft extends Refused {}

/** A write that remembers which entry each of its ops came from, and which were left out. */
interface BulkWrite extends Submitted {
  readonly indexes: readonly number[];
  readonly refused: ReadonlyMap<number, Problem>;
}

function submitted(
  call: BulkCall,
  ops: readonly Indexed<RowOp>[],
  refused: ReadonlyMap<number, Problem> = new Map(),
): BulkWrite {
  const write: BulkWrite = {
    context: contextOf(call.access),
    atomic: call.mode === 'atomic',
    ops: ops.map(({ op }) => op),
    indexes: ops.map(({ index }) => index),
    refused,
  };
  const kept = inManner(call.manner, (result) => {
    const outcome = outcomeOf(call, write, result);
    return write.atomic && outcome.failures.size > 0 ? undefined : bulkAnswer(call.entries, outcome, call.manner);
  });
  return { ...write, ...kept };
}

/** Problems of ops by their place in a write, as problems of the call's ops, with pointers. */
const byIndex = (ops: readonly Indexed<RowOp>[], found: Refusals): ReadonlyMap<number, Problem> =>
  new Map(
    [...found].map(([place, { code, message }]) => {
      const { index } = must(ops[place], 'a refusal belongs to an op');
      const pointer = `/ops/${index}${code === 'not_found' ? '/id' : ''}`;
      return [index, new Problem(code, { detail: message, errors: [{ pointer, code, detail: message }] })] as const;
    }),
  );

/** An op with what it brings from outside among its values. */
const withBrought = (op: UnsettledOp | UpsertOp): UnsettledOp | UpsertOp =>
  op.kind === 'update' || op.kind === 'upsert'
    ? { ...op, values: new Map([...op.values, ...broughtBy(changesOf(op))]) }
    : op;

/** Findings below `/fields` of an op, as a bulk call tells them. */
function refusedOp(index: number, items: readonly ProblemItem[]): Problem {
  const errors = items.map((item) => ({ ...item, pointer: `/ops/${index}${item.pointer}` }));
  return new Problem('validation_failed', { detail: errors[0]?.detail, errors });
}

function judged(entries: readonly BulkEntry[]): Failures {
  return new Map(
    entries
      .filter(({ errors }) => errors.length > 0)
      .map(({ index, errors }) => [index, new Problem('validation_failed', { detail: errors[0]?.detail, errors })]),
  );
}

/** How a write ended, with all that failed before it and in it. */
function outcomeOf({ failures: before }: BulkCall, write: BulkWrite, result: WriteResult): BulkOutcome {
  const failures = new Map([...before, ...write.refused]);
  const results = new Map<number, { kind: RowOp['kind']; result: OpResult }>();
  for (const [o, op] of result.ops.entries()) {
    const index = must(write.indexes[o], 'each result belongs to an op');
    if (op.status === 'not_found' || op.status === 'version_mismatch')
      failures.set(index, rowProblem(op.status, index, op.json));
    else results.set(index, { kind: must(write.ops[o], 'each result belongs to an op').kind, result: op });
  }
  return { failures, results, meta: result };
}

/** 422 that lists what is wrong with each bad op, in order. */
function bulkFailed(failures: Failures): Problem {
  const errors = [...failures]
    .sort(([a], [b]) => a - b)
    .flatMap(
      ([index, problem]): readonly ProblemItem[] =>
        problem.errors ?? [{ pointer: `/ops/${index}`, code: problem.code, detail: problem.message }],
    );
  return new Problem('bulk_failed', {
    detail: `${failures.size} of the operations cannot be done; nothing was written.`,
    errors,
  });
}

/** @param json the row as it is now, where it has another version */
function rowProblem(code: 'not_found' | 'version_mismatch', index: number, json?: string): Problem {
  const detail = code === 'not_found' ? 'There is no such row.' : 'The row has another version.';
  return new Problem(code, {
    detail,
    errors: [{ pointer: `/ops/${index}/${code === 'not_found' ? 'id' : 'version'}`, code, detail }],
    ...(json === undefined ? {} : { extra: { current: JSON.parse(json) as unknown } }),
  });
}
