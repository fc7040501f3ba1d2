import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { FoundObject } from '../../../engines/index.js';
import type { Drift } from './drift.js';

/** What was found in an external database the last time that somebody looked; who looks right now. */
@Entity({ name: 'connection_schemas' })
export class ConnectionSchemaEntity {
  @PrimaryColumn('uuid', { name: 'connection_id' }) connectionId!: Id;
  /** Null until somebody has looked, as the next two. */
  @Column('json', { nullable: true }) objects!: readonly FoundObject[] | null;
  /** Against what was found the time before. */
  @Column('json', { nullable: true }) drift!: Drift | null;
  @Column('timestamptz', { name: 'discovered_at', nullable: true }) discoveredAt!: Date | null;
  /** Until when a node has taken it on itself to look. */
  @Column('timestamptz', { name: 'claimed_until', nullable: true }) claimedUntil!: Date | null;
}
