import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../../../common/index.js';
import type { Actor } from '../../../../../database/main/index.js';
import type { ColumnOptions, ColumnTypeName, WriteContext } from '../../../../../query/index.js';

/** What becomes of values that cannot be converted: the whole is refused, or they are left empty. */
export const ON_ERROR = ['abort', 'null'] as const;
export type OnError = (typeof ON_ERROR)[number];

/** `stopping` takes back what was begun, and becomes `failed` or `cancelled`. */
export const CONVERSION_STATES = ['converting', 'stopping', 'done', 'failed', 'cancelled'] as const;
export type ConversionState = (typeof CONVERSION_STATES)[number];

/** Those in which the column is in work. A column has one such conversion at most. */
export const UNDER_WAY = ['converting', 'stopping'] as const satisfies readonly ConversionState[];

/** An item of a problem. More may be in it, such as samples; TypeORM has no type for that. */
interface ConversionFinding {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** Why a conversion did not come to its end. */
export interface ConversionFailure {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly ConversionFinding[];
}

/** A column of a large table on its way to another type. */
@Entity({ name: 'column_conversions' })
export class ColumnConversionEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'table_id' }) tableId!: Id;
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  @Column('uuid', { name: 'column_id' }) columnId!: Id;
  @Column('text', { name: 'to_type' }) toType!: ColumnTypeName;
  @Column('jsonb', { name: 'to_options' }) toOptions!: ColumnOptions;
  @Column('text', { name: 'on_error' }) onError!: OnError;
  /** So many values at most may be left empty, as somebody has confirmed; null: as many as there are. */
  @Column('bigint', { name: 'most_lost', nullable: true }) mostLost!: string | null;
  /** Of the column that is filled, and takes the place of the old one in the end. */
  @Column('text', { name: 'hidden_name' }) hiddenName!: string;
  @Column('text', { name: 'trigger_name' }) triggerName!: string;
  @Column('text') state!: ConversionState;
  @Column('jsonb', { nullable: true }) error!: ConversionFailure | null;
  /** The last row that is filled; rows are filled in the order of their ids. */
  @Column('uuid', { name: 'last_row', nullable: true }) lastRow!: Id | null;
  /** Rows that there were at the beginning, those in the trash too. */
  @Column('bigint') rows!: string;
  @Column('bigint', { name: 'rows_done' }) rowsDone!: string;
  /** Tries since the last step that went well. */
  @Column('integer') attempts!: number;
  /** Not before. */
  @Column('timestamptz', { name: 'next_at' }) nextAt!: Date;
  /** Who asked for it: in the audit, and in the log of the table. */
  @Column('jsonb') actor!: Actor;
  @Column('jsonb') context!: WriteContext;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
