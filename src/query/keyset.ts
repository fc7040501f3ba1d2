import { createCipheriv, createDecipheriv, hash, randomFillSync } from 'node:crypto';
import { keysFor, Problem, type Keyring } from '../common/index.js';
import type { CellValue, TableSchema } from './schema.js';
import type { FilterInput } from './filter/filter-input.js';
import type { OrderTerm, Way } from './plan.js';

/** Where a page began or ended: the canonical value of each order term, the id last. */
export type Position = readonly CellValue[];

/** What a cursor leads to. */
export interface Edge {
  readonly position: Position;
  readonly way: Way;
  /** What the page that it was made for took for now, where it matters. */
  readonly clock?: Date;
}

/** Whatever else of a query decides which rows it finds. */
export interface QueryVariant {
  readonly trashed?: boolean;
  readonly tz?: string;
  readonly search?: string;
  readonly asOf?: number;
  /** What the caller has of it at all. */
  readonly scope?: readonly unknown[];
}

/** Identifies the query that a cursor belongs to. Field choice and limit may change between pages, what decides which rows come in which order may not. */
export function fingerprint(
  table: TableSchema,
  filter: FilterInput | undefined,
  orderBy: readonly OrderTerm[],
  variant: QueryVariant = {},
): string {
  const order = orderBy.map(({ by, dir }) => [by.kind === 'id' ? '' : by.column.id, dir]);
  return digest([table.id, filter ?? null, order, variant]);
}

/** A short text for a query, of all that must be the same on its next page. */
export const digest = (query: readonly unknown[]): string =>
  hash('sha256', JSON.stringify(query), 'base64url').slice(0, 22);

type Sealed = [query: string, position: Position, way?: Way, clock?: number];

const NONCE_BYTES = 12;

/**
 * Cursors are encrypted (AES-256-GCM), so that they reveal no value of a row and cannot be made up; the key is derived
 * from the server's encryption key, so every node reads the cursors of every other; those that were made under another of the keys too.
 */
export class CursorCodec {
  private readonly keys: Keyring;
  private readonly random = Buffer.alloc(NONCE_BYTES * 256);
  private used = this.random.length;

  constructor(...masterKeys: Keyring) {
    this.keys = keysFor('cursor v1', masterKeys);
  }

  seal(query: string, position: Position, way: Way = 'after', clock?: Date): string {
    const iv = this.nonce();
    const cipher = createCipheriv('aes-256-gcm', this.keys[0], iv);
    const body = Buffer.concat([
      cipher.update(
        JSON.stringify([
          query,
          position,
          ...(way === 'after' && !clock ? [] : [way]),
          ...(clock ? [clock.getTime()] : []),
        ]),
        'utf8',
      ),
      cipher.final(),
    ]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
  }

  /** The position alone, of lists that are paged in one direction. Throws as {@link openEdge}. */
  open(query: string, cursor: string): Position {
    return this.openEdge(query, cursor).position;
  }

  /** @throws Problem 400 `cursor_invalid`, or `cursor_mismatch` when it belongs to another filter, sort or table */
  openEdge(query: string, cursor: string): Edge {
    const [owner, position, way = 'after', clock] = this.decrypt(cursor);
    if (owner !== query)
      throw new Problem('cursor_mismatch', {
        detail: 'This cursor belongs to another filter, sort or table; start again without it.',
      });
    return { position, way, ...(clock === undefined ? {} : { clock: new Date(clock) }) };
  }

  /** From a pool: one call into the system's generator serves many cursors. No byte is used twice. */
  private nonce(): Buffer {
    if (this.used + NONCE_BYTES > this.random.length) {
      randomFillSync(this.random);
      this.used = 0;
    }
    return this.random.subarray(this.used, (this.used += NONCE_BYTES));
  }

  private decrypt(cursor: string): Sealed {
    const bytes = Buffer.from(cursor, 'base64url');
    let cause: unknown;
    for (const key of this.keys) {
      try {
        return JSON.parse(decrypted(bytes, key)) as Sealed;
      } catch (error) {
        cause ??= error;
      }
    }
    throw new Problem('cursor_invalid', { detail: 'The cursor is not one of ours; start again without it.', cause });
  }
}

/** @throws Error it was not encrypted under this key */
function decrypted(bytes: Buffer, key: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28)).toString('utf8') + decipher.final('utf8');
}
