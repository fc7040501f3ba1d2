import { must, Problem, type ProblemItem } from '../../../common/index.js';
import { LinksRefused, type WriteResult } from '../../../engines/index.js';
import {
  uniqueIdentityOf,
  type RowOp,
  type RowWrite,
  type TableSchema,
  type WriteContext,
} from '../../../query/index.js';
import type { UpsertOp } from '../write/bulk-request.js';
import { takenValues } from '../write/taken-values.js';
import { decideUpserts, type FindMatches, type Indexed } from '../write/upsert.js';
import { flawsOf, type Tally } from './tally.js';

/** An op with the line of the file that it is from. */
export type LineOp = Indexed<RowOp | UpsertOp>;

/** A write that remembers the lines of its ops. */
export interface LineWrite extends RowWrite {
  readonly lines: readonly number[];
}

/** Where portions are written. */
export interface Target {
  readonly find: FindMatches;
  write(
    prepare: (find: FindMatches) => Promise<LineWrite>,
  ): Promise<{ readonly write: LineWrite; readonly result: WriteResult }>;
}

type Refused = ReadonlyMap<number, readonly ProblemItem[]>;

/** None of the ops can be done; a statement without ops would be none. */
class NothingLeft extends Error {}

/** Writes the ops of a portion, those that can be done; the others become findings of their lines. */
export class PortionWriter {
  constructor(
    private readonly table: TableSchema,
    private readonly context: WriteContext,
    private readonly target: Target,
    private readonly tally: Tally,
    /** Lines whose fate is sealed: they are not to be tried again, whatever becomes of the others. */
    private readonly done = new Set<number>(),
  ) {}

  async write(ops: readonly LineOp[]): Promise<void> {
    for (const run of withoutRepeats(ops)) await this.writeRun(run);
  }

  private async writeRun(ops: readonly LineOp[]): Promise<void> {
    if (ops.length === 0) return;
    let decided: Awaited<ReturnType<typeof decideUpserts>> | undefined;
    try {
      const { write, result } = await this.target.write(async (find) => {
        decided = await decideUpserts(this.table, ops, find);
        if (decided.ops.length === 0) throw new NothingLeft();
        return this.writeOf(decided.ops);
      });
      this.refuse(problems(decided));
      this.count(write, result);
    } catch (error) {
      const blamed = error instanceof NothingLeft ? new Map() : await this.blame(error, decided?.ops ?? []);
      const refused: Refused = new Map([...problems(decided), ...blamed]);
      this.refuse(refused);
      const rest = ops.filter(({ index }) => !refused.has(index));
      if (refused.size > 0) return this.writeRun(rest);
      await this.halves(rest, error);
    }
  }

  /** Nobody knows which op it is, only that one cannot be written. */
  private async halves(ops: readonly LineOp[], error: unknown): Promise<void> {
    const [only, ...more] = ops;
    if (only && more.length === 0) {
      const { errors = [], message, code } = error as Problem;
      this.refuse(new Map([[only.index, errors.length > 0 ? errors : [{ pointer: '', code, detail: message }]]]));
      return;
    }
    const middle = Math.ceil(ops.length / 2);
    await this.writeRun(ops.slice(0, middle));
    await this.writeRun(ops.slice(middle));
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
    if (!(error instanceof Problem) || !['unique_violation', 'validation_failed'].includes(error.code)) throw error;
    const certain = await takenValues(this.table, ops, this.target.find, 'as if all at once');
    return problemItems(
      certain.size > 0 ? certain : await takenValues(this.table, ops, this.target.find, 'one by one'),
    );
  }

  private refuse(refused: Refused): void {
    for (const [line, items] of refused) {
      this.tally.refuse(line, flawsOf(items));
      this.done.add(line);
    }
  }

  private writeOf(ops: readonly Indexed<RowOp>[]): LineWrite {
    return {
      context: this.context,
      atomic: false,
      quiet: true,
      ops: ops.map(({ op }) => op),
      lines: ops.map(({ index }) => index),
    };
  }

  private count(write: LineWrite, { ops, epoch, seq }: WriteResult): void {
    this.tally.meta = { epoch, seq };
    for (const line of write.lines) this.done.add(line);
    for (const [at, { status }] of ops.entries()) {
      if (status === 'unchanged') this.tally.unchanged++;
      else if (status !== 'ok') this.tally.refuse(write.lines[at] ?? 0, [GONE]);
      else if (write.ops[at]?.kind === 'create') this.tally.created++;
      else this.tally.updated++;
    }
  }
}

const GONE = { code: 'conflict', detail: 'Somebody changed or deleted the row in this very moment.' };

const problems = (decided: Awaited<ReturnType<typeof decideUpserts>> | undefined): Refused =>
  decided ? problemItems(decided.failures) : new Map();

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
