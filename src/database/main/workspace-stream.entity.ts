import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** How far the numbers of a workspace are. Written by a trigger of the audit log, and by nothing else. */
@Entity({ name: 'workspace_streams' })
export class WorkspaceStreamEntity {
  @PrimaryColumn('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  /** Another one means that the numbers began anew. */
  @Column('uuid') epoch!: string;
  /** A bigint, which the driver gives as text. */
  @Column('bigint') seq!: string;
}

/** Which entry of the audit log has which number. */
@Entity({ name: 'workspace_events' })
export class WorkspaceEventEntity {
  @PrimaryColumn('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @PrimaryColumn('bigint') seq!: string;
  @Column('uuid', { name: 'audit_id' }) auditId!: Id;
}
