import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConfirmTokens, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import type { TableSchema } from '../../../query/index.js';

/** What a dry run looked at: rows in the versions that they had, and tables with the structure that they had. */
export interface SeenByDryRun {
  readonly rows: readonly { readonly id: Id; readonly version: number }[];
  /** A column that is another by then, or a rule, would make something else of the same rows. */
  readonly tables: readonly Pick<TableSchema, 'id' | 'schemaVersion'>[];
  /** What of them it said would be left out, which rows beside them may decide: those that have a unique value by now. */
  readonly leftOut?: readonly object[];
}

/** Tokens that bind a change of many rows to its dry run: by a filter, or a revert. */
@Injectable()
export class ManyRowsTokens {
  private readonly tokens: ConfirmTokens;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const changed = 'The rows, or the structure of the table, are not as they were';
    this.tokens = new ConfirmTokens('by filter v1', changed, encryptionKeysOf(config));
  }

  /** `owner`: the table, or the base. */
  make(owner: Id, asked: unknown, seen: SeenByDryRun): string {
    return this.tokens.make(owner, digestOf(asked, seen));
  }

  /** @throws Problem `confirmation_stale` it is of another request, too old, or the rows or the structure are not as they were */
  check(owner: Id, token: string, asked: unknown, seen: SeenByDryRun): void {
    this.tokens.check(owner, token, digestOf(asked, seen));
  }
}

function digestOf(asked: unknown, { rows, tables, leftOut = [] }: SeenByDryRun): string {
  const hash = createHash('sha256').update(JSON.stringify(asked));
  for (const { id, schemaVersion } of tables) hash.update(`\n${id} ${schemaVersion}`);
  for (const { id, version } of rows) hash.update(`\n${id}:${version}`);
  for (const each of leftOut) hash.update(`\n${JSON.stringify(each)}`);
  return hash.digest('base64url');
}
