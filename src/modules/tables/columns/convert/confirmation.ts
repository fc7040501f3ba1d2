import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConfirmTokens, Problem, type Id } from '../../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../../config/index.js';
import type { ColumnEntity } from '../column.entity.js';
import type { ColumnOptions } from '../../../../query/index.js';
import type { ConvertColumnDto } from './convert.dto.js';

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

/** Tokens that bind a conversion to its dry run: of the column as it was, and of what was asked. */
@Injectable()
export class Confirmations {
  private readonly tokens: ConfirmTokens<Seen>;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.tokens = new ConfirmTokens('conversions v1', 'The column is not as it was', encryptionKeysOf(config));
  }

  make(column: ColumnEntity, request: ConvertColumnDto, seen: Seen): string {
    return this.tokens.make(ownerOf(column), digestOf(column, request), seen);
  }

  /**
   * @throws Problem `confirmation_required` there is none
   * @throws Problem `confirmation_stale` it is of another column or request, too old, or the column has changed
   */
  read(column: ColumnEntity, request: ConvertColumnDto): Seen {
    if (request.confirmToken === undefined) throw new Problem('confirmation_required');
    return this.tokens.check(ownerOf(column), request.confirmToken, digestOf(column, request));
  }
}

export const stale = (detail: string): Problem => new Problem('confirmation_stale', { detail });

const ownerOf = ({ id, tableId }: { readonly id: Id; readonly tableId: Id }): string => `${tableId}/${id}`;

const digestOf = ({ type, options, physicalName }: ColumnEntity, { to, onError = 'abort' }: ConvertColumnDto): string =>
  createHash('sha256')
    .update(JSON.stringify([type, options, physicalName, to.type, to.options ?? {}, onError]))
    .digest('base64url');
