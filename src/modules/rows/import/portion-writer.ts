import { must, Problem, type ProblemItem } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { LinksRefused, toldTo, type OpResult, type Submitted, type WriteResult } from '../../../engines/index.js';
import { uniqueIdentityOf, wholeOf, type RowOp, type TableSchema, type WriteContext } from '../../../query/index.js';
import type { UpsertOp } from '../write/bulk-request.js';
import type { Ends, Refusals, RowJudge } from '../write/row-judge.js';
import { takenValues, uniqueColumns } from '../write/taken-values.js';
import { decideUpserts, type FindMatches, type Indexed } from '../write/upsert.js';
import { flawsOf, Tally } from './tally.js';

/** An op with the line of the file that it is from. */
export type LineOp = Indexed<RowOp | UpsertOp>;

/** A write that remembers the lines of its ops. */
export interface LineWrite extends Submitted {
  readonly lines: readonly number[];
}

/** Where portions are written. */
export interface Target {
  /** Among the rows that are seen. */
  readonly find: FindMatches;
  /** `session` is that of the transaction; absent where one statement is all of it. */
  write(
    prepare: (find: FindMatches, session?: PgSession) => Promise<LineWrite>,
  ): Promise<{ readonly write: LineWrite; readonly result: WriteResult }>;
}

/** Does what belongs to a write that becomes true with it; `tally` is what became of its lines. */
export type Complete = (session: PgSession, tally: Tally) => Promise<void>;

type Refused = ReadonlyMap<number, readonly ProblemItem[]>;

/** None of the ops can be done; a statement without ops would be none. */
class NothingLeft extends Error {}

/** What rules do not let rows become, by line. Rolls the write back on its way. */
class RuledOut extends Error {
  constructor(readonly findings: ReadonlyMap<number, Problem>) {
    super('rows must not become like this');
  }
}

/** What becomes of ops; with the rows at other ends of links that they change, for whoever sees part of a table. */
type Decided = Awaited<ReturnType<typeof decideUpserts>> & { readonly ends?: Ends };

/** Writes the ops of a portion, those that can be done; the others become findings of their lines. */
export class PortionWriter {
  private readonly table: TableSchema;

  /** `seen` is what whoever imports sees of the table. */
  constructor(
    private readonly seen: TableSchema,
    private readonly context: WriteContext,
    private readonly target: Target,
    private readonly rules: RowJudge,
  ) {
    this.table = wholeOf(seen);
  }

  /**
   * All ops by one write, which `complete` is told of inside of its transaction. Undefined, and nothing is written: they cannot all be
   * done, or not by one write.
   */
  async once(ops: readonly LineOp[], complete: Complete): Promise<Tally | undefined> {
    if (ops.length === 0 || withoutRepeats(ops).length > 1) return undefined;
    let tally: Tally | undefined;
    try {
      await this.target.write(async (find, inside) => {
        const decided = await this.decide(ops, find, inside);
        if (decided.ops.length === 0) throw new NothingLeft();
        const write = this.writeOf(decided);
        const also = async (session: PgSession, result: WriteResult): Promise<void> => {
          await write.also?.(session, result);
          // A row that was matched went to the trash meanwhile: whoever holds the table looks once more.
          if (result.ops.some(isGone)) throw new NothingLeft();
          tally = new Tally();
          refuse(tally, problems(decided));
          count(tally, write, result);
          await complete(session, tally);
        };
        return { ...write, also };
      });
      return tally;
    } catch (error) {
      if (error instanceof NothingLeft || isAboutOps(error)) return undefined;
      throw error;
    }
  }

  /** As many writes as it takes. */
  async write(ops: readonly LineOp[], tally: Tally): Promise<void> {
    for (const run of withoutRepeats(ops)) await this.writeRun(run, tally);
  }

  private async writeRun(ops: readonly LineOp[], tally: Tally): Promise<void> {
    if (ops.length === 0) return;
    let decided: Decided | undefined;
    try {
      const { write, result } = await this.target.write(async (find, inside) => {
        decided = await this.decide(ops, find, inside);
        if (decided.ops.length === 0) throw new NothingLeft();
        return this.writeOf(decided);
      });
      refuse(tally, problems(decided));
      count(tally, write, result);
    } catch (error) {
      const blamed = error instanceof NothingLeft ? new Map() : await this.blame(error, decided?.ops ?? []);
      const refused: Refused = new Map([...problems(decided), ...blamed]);
      refuse(tally, refused);
      const rest = ops.filter(({ index }) => !refused.has(index));
      if (refused.size > 0) return this.writeRun(rest, tally);
      await this.halves(rest, error, tally);
    }
  }

  /** What becomes of the ops by what is there and what rules say of it. */
  private async decide(ops: readonly LineOp[], find: FindMatches, session: PgSession | undefined): Promise<Decided> {
    const decided = await decideUpserts(this.table, ops, find);
    if (!this.seen.seen || decided.ops.length === 0) return decided;
    const within = must(session, 'who writes by rules has a transaction');
    const open = plain(decided.ops);
    const found = await this.rules.before(within, this.seen, open);
    const ends = await this.rules.ends(within, this.seen, open);
    const ruled = byLine(decided.ops, new Map([...ends.refused, ...found]));
    return {
      ends,
      ops: decided.ops.filter(({ index }) => !ruled.has(index)),
      failures: new Map([...decided.failures, ...ruled]),
    };
  }

  /** Nobody knows which op it is, only that one cannot be written. */
  private async halves(ops: readonly LineOp[], error: unknown, tally: Tally): Promise<void> {
    const [only, ...more] = ops;
    if (only && more.length === 0) {
      const { errors = [], message, code } = toldTo(this.seen, error as Problem);
      refuse(tally, new Map([[only.index, errors.length > 0 ? errors : [{ pointer: '', code, detail: message }]]]));
      return;
    }
    const middle = Math.ceil(ops.length / 2);
    await this.writeRun(ops.slice(0, middle), tally);
    await this.writeRun(ops.slice(middle), tally);
  }

  /** Which of the ops were refused for what they hold; none where that is not known. @throws whatever has another reason */
  private async blame(error: unknown, ops: readonly Indexed<RowOp>[]): Promise<Refused> {
    if (error instanceof LinksRefused)
      return new Map(
        [...error.findings].map(([at, items]) => [
          must(ops[at], 'a finding belongs to an op that was tried').index,
          items,
        ]),
      );
    if (error instanceof RuledOut) return problemItems(error.findings);
    if (!isAboutOps(error)) throw error;
    const there = uniqueColumns(this.target.find);
    const certain = await takenValues(this.table, ops, there, 'as if all at once');
    const taken = certain.size > 0 ? certain : await takenValues(this.table, ops, there, 'one by one');
    return problemItems(new Map([...taken].map(([line, problem]) => [line, toldTo(this.seen, problem)])));
  }

  private writeOf({ ops, ends }: Decided): LineWrite {
    const write: LineWrite = {
      context: this.context,
      atomic: false,
      quiet: true,
      ops: plain(ops),
      lines: ops.map(({ index }) => index),
    };
    if (!ends) return write;
    const also = async (session: PgSession, { ops: results }: WriteResult): Promise<void> => {
      const found = await this.rules.after(session, this.seen, write.ops, results, ends);
      if (found.size > 0) throw new RuledOut(byLine(ops, found));
    };
    return { ...write, also };
  }
}

/** What the table has against rows, by what it says. */
const isAboutOps = (error: unknown): boolean =>
  error instanceof LinksRefused ||
  error instanceof RuledOut ||
  (error instanceof Problem && ['unique_violation', 'validation_failed'].includes(error.code));

function refuse(tally: Tally, refused: Refused): void {
  for (const [line, items] of refused) tally.refuse(line, flawsOf(items));
}

function count(tally: Tally, write: LineWrite, { ops, epoch, seq }: WriteResult): void {
  tally.meta = { epoch, seq };
  for (const [at, { status }] of ops.entries()) {
    if (status === 'unchanged') tally.unchanged++;
    else if (isGone({ status })) tally.refuse(write.lines[at] ?? 0, [GONE]);
    else if (write.ops[at]?.kind === 'create') tally.created++;
    else tally.updated++;
  }
}

const isGone = ({ status }: Pick<OpResult, 'status'>): boolean => status !== 'ok' && status !== 'unchanged';

const plain = (ops: readonly Indexed<RowOp>[]): RowOp[] => ops.map(({ op }) => op);

const byLine = (ops: readonly Indexed<RowOp>[], found: Refusals): ReadonlyMap<number, Problem> =>
  new Map([...found].map(([place, problem]) => [must(ops[place], 'a refusal belongs to an op').index, problem]));

const GONE = { code: 'conflict', detail: 'Somebody changed or deleted the row in this very moment.' };

const problems = (decided: Decided | undefined): Refused => (decided ? problemItems(decided.failures) : new Map());

const problemItems = (found: ReadonlyMap<number, Problem>): Map<number, readonly ProblemItem[]> =>
  new Map(
    [...found].map(([line, { errors, code, message }]) => [line, errors ?? [{ pointer: '', code, detail: message }]]),
  );

/** Runs in which no two upserts mean the same row: a later line changes what an earlier one made, wherever a portion happens to end. */
function withoutRepeats(ops: readonly LineOp[]): LineOp[][] {
  const runs: LineOp[][] = [];
  let run: LineOp[] = [];
  let seen = new Set<string>();
  for (const each of ops) {
    const key = each.op.kind === 'upsert' ? identityOfUpsert(each.op) : undefined;
    if (key !== undefined && seen.has(key)) {
      runs.push(run);
      run = [];
      seen = new Set();
    }
    if (key !== undefined) seen.add(key);
    run.push(each);
  }
  return [...runs, run];
}

const identityOfUpsert = ({ matchOn, values }: UpsertOp): string =>
  JSON.stringify(
    matchOn.map((column) => {
      const cell = values.get(column) ?? null;
      return typeof cell === 'object' ? null : uniqueIdentityOf(column, cell);
    }),
  );
