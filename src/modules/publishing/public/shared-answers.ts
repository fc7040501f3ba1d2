import { Inject, Injectable } from '@nestjs/common';
import { sealerFor, type Sealer } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { keyPrefix, RedisClient } from '../../../database/redis/index.js';
import { Breaker } from '../../auth/index.js';
import type { WrittenPage } from './answers.js';

/** A reader waits no longer than this for Redis, and after a failure nobody does for a while. */
const DEADLINE_MS = 100;
const PAUSE_MS = 1_000;
/** Larger answers cost Redis more than they save. */
const MAX_BYTES = 256 * 1024;
/** Names of what has changed are never asked for again; this is when Redis forgets them. */
const KEPT_MS = 300_000;

/** A word of its own says that Redis is there and has nothing: no answer at all is a failure. */
const GET = `return redis.call('GET', KEYS[1]) or 'none'`;
const SET = `return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`;

/**
 * Answers that other nodes have made, in Redis: the second level behind the memory of a node. Only for names that hold the state of the data, so nothing
 * has to be thrown away. Sealed, for rows of keys are nobody's who looks into Redis, and who writes there must not write to readers.
 */
@Injectable()
export class SharedAnswers {
  private readonly sealer: Sealer;
  private readonly prefix: string;
  private readonly breaker = new Breaker(PAUSE_MS, Date.now);

  constructor(
    private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.sealer = sealerFor('public answers v1', encryptionKeysOf(config));
    this.prefix = `${keyPrefix(config.mainDb.database)}answer:`;
  }

  /** Undefined also where Redis is absent, down or silent. */
  async find(name: string): Promise<WrittenPage | undefined> {
    const stored = await this.run(GET, name, []);
    if (stored === undefined || stored === 'none') return undefined;
    const text = this.sealer.open(name, Buffer.from(stored, 'base64'));
    if (text === undefined) return undefined;
    const { body, ...page } = JSON.parse(text) as StoredPage;
    return { ...page, body: Buffer.from(body), databaseMs: 0, isFromElsewhere: true };
  }

  /** For the other nodes, some time. */
  keep(name: string, { body, rows, at, nextCursor }: WrittenPage): void {
    if (!this.redis.configured || body.length > MAX_BYTES) return;
    const page: StoredPage = {
      ...{ body: body.toString('utf8'), rows, at },
      ...(nextCursor === undefined ? {} : { nextCursor }),
    };
    void this.run(SET, name, [this.sealer.seal(name, JSON.stringify(page)).toString('base64'), KEPT_MS]);
  }

  private async run(script: string, name: string, args: readonly (string | number)[]): Promise<string | undefined> {
    if (!this.redis.configured || !this.breaker.mayTry()) return undefined;
    const answer = await this.redis.evaluate(script, [this.prefix + name], args, DEADLINE_MS);
    this.breaker.report(answer !== undefined);
    return typeof answer === 'string' ? answer : undefined;
  }
}

interface StoredPage extends Pick<WrittenPage, 'rows' | 'at' | 'nextCursor'> {
  readonly body: string;
}
