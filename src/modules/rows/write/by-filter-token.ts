import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConfirmTokens, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';

/** A row as it was seen. */
interface SeenRow {
  readonly id: Id;
  readonly version: number;
}

/** Tokens that bind a change by filter to its dry run: the same rows in the same versions. */
@Injectable()
export class ByFilterTokens {
  private readonly tokens: ConfirmTokens;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.tokens = new ConfirmTokens('by filter v1', 'The rows are not as they were', encryptionKeysOf(config));
  }

  make(tableId: Id, asked: unknown, rows: readonly SeenRow[]): string {
    return this.tokens.make(tableId, digestOf(asked, rows));
  }

  /** @throws Problem `confirmation_stale` it is of another request, too old, or the rows are not as they were */
  check(tableId: Id, token: string, asked: unknown, rows: readonly SeenRow[]): void {
    this.tokens.check(tableId, token, digestOf(asked, rows));
  }
}

function digestOf(asked: unknown, rows: readonly SeenRow[]): string {
  const hash = createHash('sha256').update(JSON.stringify(asked));
  for (const { id, version } of rows) hash.update(`\n${id}:${version}`);
  return hash.digest('base64url');
}
