import { Injectable } from '@nestjs/common';
import type { Answer } from '../../../common/index.js';
import { ChangeLog, KeptWrites, type Submitted, type WriteResult } from '../../../engines/index.js';
import type { RowOp, TableSchema, WriteContext } from '../../../query/index.js';
import { inManner, type Manner } from './manner.js';

/** Where the stream stands behind it. */
export type StreamMeta = Pick<WriteResult, 'epoch' | 'seq'>;

/** Looks what is to be done when it is its turn. */
export type Portion = () => readonly RowOp[] | Promise<readonly RowOp[]>;

/** More ops than one statement takes well, within one transaction and one change set: each portion takes a number. */
@Injectable()
export class Portions {
  constructor(
    private readonly log: ChangeLog,
    private readonly kept: KeptWrites,
  ) {}

  /** `answerTo` tells what the caller hears of so many rows that became different; it is kept with the last portion. */
  async write(
    table: TableSchema,
    context: WriteContext,
    portions: readonly Portion[],
    manner: Manner,
    answerTo: (affected: number, meta: StreamMeta) => Answer,
    write: (portion: Submitted) => Promise<WriteResult>,
  ): Promise<Answer> {
    let affected = 0;
    let last: WriteResult | undefined;
    for (const [i, portion] of portions.entries()) {
      const isLast = i === portions.length - 1;
      const kept = inManner(isLast ? manner : { minimal: true }, (result) => answerTo(affected + changed(result), result)); // prettier-ignore
      last = await write({ context, atomic: true, ops: await portion(), ...kept, quiet: true });
      affected += changed(last);
    }
    if (last) return answerTo(affected, last);
    const [head] = await this.log.heads(table.physical.schema, [table.id]);
    const nothing = { epoch: head?.epoch ?? '', seq: head?.seq ?? 0, ops: [] };
    // Whoever repeats it hears the same, although there may be something to do by then.
    await this.kept.keepNothing(
      table,
      inManner(manner, (result) => answerTo(0, result)),
      nothing,
    );
    return answerTo(0, nothing);
  }
}

const changed = ({ ops }: WriteResult): number => ops.filter(({ status }) => status === 'ok').length;
