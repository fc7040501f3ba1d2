import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** What people share: bases, connections, views, and the roles in which they do so. */
@Entity({ name: 'workspaces' })
export class WorkspaceEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('text') name!: string;
  /** For addresses; unique, derived from the first name, never changed. */
  @Column('text') slug!: string;
  /** Time zone (IANA) of days, weeks and so on, where a request names no other. */
  @Column('text', { name: 'time_zone', default: 'UTC' }) timeZone!: string;
  /** The history of rows is kept for so many days; null for as long as the server keeps it. */
  @Column('integer', { name: 'history_days', nullable: true }) historyDays!: number | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
