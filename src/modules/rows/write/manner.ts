import { Inject, Injectable } from '@nestjs/common';
import { must, Problem, type Answer, type AppRequest, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import type { RequestKey } from '../../../database/main/index.js';
import { DoneBefore, KeptWrites, type Keep, type WriteResult } from '../../../engines/index.js';
import { checkKey, givenAgain, keepable, RequestKeys, type KeptAnswer } from '../../idempotency/index.js';
import { TableCatalog } from '../../tables/index.js';
import { prefers } from '../prefer.js';

/** How a caller wants a write to be done and answered. */
export interface Manner {
  /** `Prefer: return=minimal` (RFC 7240): without the rows. */
  readonly minimal: boolean;
  /** From `Idempotency-Key`: it is done once. */
  readonly key?: RequestKey;
}

/** Writes of rows that are done once, however often they are asked for: the answer is kept in the transaction of the rows. */
@Injectable()
export class Manners {
  private readonly keys: RequestKeys;

  constructor(
    private readonly kept: KeptWrites,
    private readonly catalog: TableCatalog,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
  }

  /**
   * Does the work in the manner that the request asks for, or gives the answer that there was. Whoever comes while the first is under way
   * waits for it, at a lock of the database, and gets its answer too.
   * @throws Problem `validation_failed` (no key), `idempotency_mismatch`; whatever `work` throws
   */
  run(request: AppRequest, tableId: Id, work: (manner: Manner) => Promise<Answer>): Promise<Answer> {
    return this.once(request, async () => (await this.catalog.find(tableId)).schema, work);
  }

  /** The same for work on several tables of a base. */
  runInBase(request: AppRequest, baseId: Id, work: (manner: Manner) => Promise<Answer>): Promise<Answer> {
    return this.once(request, async () => (await this.catalog.base(baseId)).schema, work);
  }

  private async once(
    request: AppRequest,
    schemaOf: () => Promise<string>,
    work: (manner: Manner) => Promise<Answer>,
  ): Promise<Answer> {
    const minimal = prefers(request, 'return', 'minimal');
    const given = request.headers['idempotency-key'];
    if (given === undefined) return work({ minimal });
    const key = this.keys.of(request, checkKey(given));
    const schema = await schemaOf();
    const before = await this.again(schema, key);
    if (before) return before;
    try {
      return await work({ minimal, key });
    } catch (error) {
      // Maybe it was refused only because it is done already, by somebody who was faster.
      const meanwhile = await this.again(schema, key);
      if (meanwhile) return meanwhile;
      throw error instanceof DoneBefore ? new Problem('idempotency_in_progress', { cause: error }) : error;
    }
  }

  private async again(schema: string, key: RequestKey): Promise<Answer | undefined> {
    const text = await this.kept.find(schema, key);
    return text === undefined ? undefined : givenAgain(JSON.parse(text) as KeptAnswer);
  }
}

/** What goes with a write for it to be done in this manner; `answer` tells what the caller hears, nothing of a failure. */
export function inManner(
  { minimal, key }: Manner,
  answer: (result: WriteResult) => Answer | undefined,
): { readonly quiet?: true; readonly keep?: Keep } {
  const keep = key && {
    key,
    answer: (result: WriteResult): string | undefined => {
      const given = answer(result);
      return given && keptText(given);
    },
  };
  return { ...(minimal ? { quiet: true } : {}), ...(keep ? { keep } : {}) };
}

/** An answer as it is kept for whoever asks again. */
export const keptText = (answer: Answer): string =>
  must(JSON.stringify(keepable(answer, 200, Infinity)), 'an answer of any length is kept');

/** Says that the wish was heard. */
export const MINIMAL = { 'preference-applied': 'return=minimal' };
