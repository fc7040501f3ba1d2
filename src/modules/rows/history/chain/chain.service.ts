import { Inject, Injectable } from '@nestjs/common';
import { CheckpointSigner, notFound, SharedRuns, type Checkpoint, type Id } from '../../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../../config/index.js';
import { LogChain, type ChainEnds } from '../../../../engines/index.js';
import { TableCatalog } from '../../../tables/index.js';
import type { ChainVerdictDto, CheckpointDto } from './chain.dto.js';

/** So many logs are verified at once on one node; each reads all that is kept of one. */
const AT_ONCE = 2;

/** What is forgotten meanwhile looks as if it had been taken out; so often the log is looked at anew. */
const TRIES = 3;

/** Of a table whose place in the streams was taken away by hand: nothing of its log can be trusted. */
const WITHOUT_STREAM = { ok: false, checked: 0, from: 1, to: 0, brokenAt: 1, head: { seq: 0, hash: '' } };

type Verdict = Omit<ChainVerdictDto, 'checkpoint'>;
type TableCheckpoint = Checkpoint<'table'> & Pick<CheckpointDto, 'epoch' | 'at'>;

/** Use cases of the hash chain: whether a change log is what was written. */
@Injectable()
export class ChainService {
  private readonly signer: CheckpointSigner<'table', TableCheckpoint>;
  private readonly runs = new SharedRuns<Verdict>(AT_ONCE, `This server verifies ${AT_ONCE} logs already.`);

  constructor(
    private readonly catalog: TableCatalog,
    private readonly chain: LogChain,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.signer = new CheckpointSigner('table', ...encryptionKeysOf(config));
  }

  /**
   * Computes the chain anew, in portions, up to where it stands. Whoever asks while somebody does gets the same answer.
   * @throws Problem `not_found`; `validation_failed` a checkpoint that is none of this table; `overloaded`
   */
  async verify(tableId: Id, token?: string): Promise<ChainVerdictDto> {
    const { schema } = await this.catalog.find(tableId);
    const checkpoint = token === undefined ? undefined : this.signer.open(token, tableId);
    const verdict = await this.runs.run(tableId, () => this.judge(schema, tableId));
    if (!checkpoint) return verdict;
    const compared = verdict === WITHOUT_STREAM ? 'differs' : await this.compare(schema, checkpoint);
    if (compared !== 'differs') return { ...verdict, checkpoint: compared };
    const brokenAt = Math.min(verdict.brokenAt ?? Infinity, checkpoint.seq);
    return { ...verdict, ok: false, brokenAt, checkpoint: compared };
  }

  /** Where the chain stands, signed. @throws Problem `not_found` */
  async checkpoint(tableId: Id): Promise<CheckpointDto> {
    const { schema } = await this.catalog.find(tableId);
    const { epoch, head } = await this.ends(schema, tableId);
    return this.signer.seal({ tableId, epoch, ...head, at: new Date().toISOString() });
  }

  private async judge(schema: string, tableId: Id): Promise<Verdict> {
    for (let attempt = 1; ; attempt++) {
      const ends = await this.chain.ends(schema, tableId);
      if (!ends) return WITHOUT_STREAM;
      const verdict = await this.walk(schema, tableId, ends);
      if (verdict.ok || attempt === TRIES) return verdict;
      const now = await this.ends(schema, tableId);
      if (now.anchor.seq === ends.anchor.seq && now.forgotten === ends.forgotten) return verdict;
    }
  }

  private async walk(schema: string, tableId: Id, { head, anchor, stray }: ChainEnds): Promise<Verdict> {
    const told = (checked: number, brokenAt: number | null): Verdict => ({
      ok: brokenAt === null,
      checked,
      ...{ from: anchor.seq + 1, to: head.seq, brokenAt, head },
    });
    let [last, checked] = [anchor, 0];
    while (last.seq < head.seq) {
      const part = await this.chain.judge(schema, tableId, last, head.seq);
      checked += part.entries;
      if (part.brokenAt !== undefined) return told(checked, Math.min(part.brokenAt, stray ?? Infinity));
      // The newest are missing.
      if (!part.last) return told(checked, last.seq + 1);
      last = part.last;
    }
    if (stray !== undefined) return told(checked, stray);
    return told(checked, last.hash === head.hash ? null : head.seq);
  }

  private async compare(schema: string, { tableId, epoch, seq, hash }: TableCheckpoint) {
    const { anchor, forgotten, ...ends } = await this.ends(schema, tableId);
    if (ends.epoch !== epoch || seq > ends.head.seq) return 'differs';
    if (seq <= forgotten && seq !== anchor.seq) return 'forgotten';
    const link = seq === anchor.seq ? anchor.hash : ((await this.chain.linkOf(schema, tableId, seq)) ?? '');
    return link === hash ? 'matches' : 'differs';
  }

  private async ends(schema: string, tableId: Id): Promise<ChainEnds> {
    const ends = await this.chain.ends(schema, tableId);
    if (!ends) throw notFound('change log');
    return ends;
  }
}
