import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { IndexFailure } from '../../../engines/index.js';
import type { IndexKind } from '../../../query/index.js';

/**
 * `pending` and `dropping` wait for a node that does it; `failed` is there by name only. `resting`: a column of it is in the trash, and the
 * index comes back with it; nobody is told of it until then.
 */
export const INDEX_STATES = ['pending', 'building', 'ready', 'failed', 'dropping', 'resting'] as const;
export type IndexStateName = (typeof INDEX_STATES)[number];

/** Those that nobody is at, and that follow their columns. */
export const FOLLOWING_STATES = ['ready', 'pending', 'failed', 'resting'] as const satisfies readonly IndexStateName[];

export interface IndexColumn {
  readonly columnId: Id;
  readonly dir: 'asc' | 'desc';
}

/** An index that was asked for. Those of primary keys and unique columns are part of the structure, and not here. */
@Entity({ name: 'table_indexes' })
export class TableIndexEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'table_id' }) tableId!: Id;
  /** Of the table; of a base, one index at a time is worked at. */
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  @Column('text') kind!: IndexKind;
  @Column('jsonb') columns!: readonly IndexColumn[];
  @Column('boolean', { name: 'is_unique' }) unique!: boolean;
  @Column('text') state!: IndexStateName;
  /** Why it is failed. */
  @Column('text', { nullable: true }) error!: IndexFailure | 'gave_up' | null;
  /** What it is to be in PostgreSQL, without the name of the table; changes with the choices that it sorts by. Empty of one that rests and is not there. */
  @Column('text') definition!: string;
  /** Version of the structure that `definition` goes by. */
  @Column('integer', { name: 'checked_version' }) checkedVersion!: number;
  /** Tries that ended without a result. */
  @Column('integer') attempts!: number;
  /** Not before. */
  @Column('timestamptz', { name: 'next_at' }) nextAt!: Date;
  /** Which work at it is the present one; null when nobody is at it. */
  @Column('uuid', { name: 'leased_by', nullable: true }) leasedBy!: Id | null;
  /** Who works at it has to prolong it before; afterwards anybody may go on. */
  @Column('timestamptz', { name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  /** Null: the server itself, from its own advice. */
  @Column('uuid', { name: 'created_by', nullable: true }) createdBy!: Id | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}
