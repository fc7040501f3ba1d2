import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Problem, sealerFor, type Id, type Sealer } from '../../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../../config/index.js';
import type { ColumnEntity } from '../column.entity.js';
import type { ColumnOptions } from '../../../../query/index.js';
import type { ConvertColumnDto } from './convert.dto.js';

const VALID_MS = 15 * 60_000;

/** What somebody saw in a dry run, and confirms. */
export interface Seen {
  /** Of the column as it will be, with choices that were made of values. */
  readonly options: ColumnOptions;
  /** Digest of the values. */
  readonly values: string;
  /** Rows that there were. */
  readonly rows: number;
  /** Values that could not be converted. */
  readonly failing: number;
  /** Digest of those. */
  readonly lost: string;
}

interface Sealed extends Seen {
  /** Of the column as it was, and of what was asked. */
  readonly digest: string;
  readonly until: number;
}

/** Tokens that bind a conversion to its dry run; only this server makes and reads them. */
@Injectable()
export class Confirmations {
  private readonly sealer: Sealer;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.sealer = sealerFor('conversions v1', encryptionKeysOf(config));
  }

  make(column: ColumnEntity, request: ConvertColumnDto, seen: Seen): string {
    const sealed: Sealed = { ...seen, digest: digestOf(column, request), until: Date.now() + VALID_MS };
    return this.sealer.seal(ownerOf(column), JSON.stringify(sealed)).toString('base64url');
  }

  /**
   * @throws Problem `confirmation_required` there is none
   * @throws Problem `confirmation_stale` it is of another column or request, too old, or the column has changed
   */
  read(column: ColumnEntity, request: ConvertColumnDto): Seen {
    if (request.confirmToken === undefined) throw new Problem('confirmation_required');
    const text = this.sealer.open(ownerOf(column), Buffer.from(request.confirmToken, 'base64url'));
    const sealed = text === undefined ? undefined : (JSON.parse(text) as Sealed);
    if (sealed?.digest === digestOf(column, request) && sealed.until > Date.now()) return sealed;
    throw stale('Make the dry run again, and send its confirmToken within 15 minutes.');
  }
}

export const stale = (detail: string): Problem => new Problem('confirmation_stale', { detail });

const ownerOf = ({ id, tableId }: { readonly id: Id; readonly tableId: Id }): string => `${tableId}/${id}`;

const digestOf = ({ type, options, physicalName }: ColumnEntity, { to, onError = 'abort' }: ConvertColumnDto): string =>
  createHash('sha256')
    .update(JSON.stringify([type, options, physicalName, to.type, to.options ?? {}, onError]))
    .digest('base64url');
