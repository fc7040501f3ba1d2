import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Problem, sealerFor, type Id, type Sealer } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';

const VALID_MS = 15 * 60_000;

/** A row as it was seen. */
interface SeenRow {
  readonly id: Id;
  readonly version: number;
}

interface Sealed {
  /** Of what was asked, and of the rows that were found. */
  readonly digest: string;
  readonly until: number;
}

/** Tokens that bind a change by filter to its dry run: the same rows in the same versions. Only this server makes and reads them. */
@Injectable()
export class ByFilterTokens {
  private readonly sealer: Sealer;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.sealer = sealerFor('by filter v1', encryptionKeysOf(config));
  }

  make(tableId: Id, asked: unknown, rows: readonly SeenRow[]): string {
    const sealed: Sealed = { digest: digestOf(asked, rows), until: Date.now() + VALID_MS };
    return this.sealer.seal(tableId, JSON.stringify(sealed)).toString('base64url');
  }

  /** @throws Problem `confirmation_stale` it is of another request, too old, or the rows are not as they were */
  check(tableId: Id, token: string, asked: unknown, rows: readonly SeenRow[]): void {
    const text = this.sealer.open(tableId, Buffer.from(token, 'base64url'));
    const sealed = text === undefined ? undefined : (JSON.parse(text) as Sealed);
    if (sealed?.digest === digestOf(asked, rows) && sealed.until > Date.now()) return;
    throw new Problem('confirmation_stale', {
      detail:
        'The rows are not as they were, or something else was asked for. Make the dry run again, and send its confirmToken within 15 minutes.',
    });
  }
}

function digestOf(asked: unknown, rows: readonly SeenRow[]): string {
  const hash = createHash('sha256').update(JSON.stringify(asked));
  for (const { id, version } of rows) hash.update(`\n${id}:${version}`);
  return hash.digest('base64url');
}
