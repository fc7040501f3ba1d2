import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** One change of metadata: who did what to which thing, with the names as they were. Rows are only ever inserted. */
@Entity({ name: 'audit_log' })
export class AuditLogEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('timestamptz') at!: Date;
  /** Null for what concerns no workspace, such as a login. */
  @Column('uuid', { name: 'workspace_id', nullable: true }) workspaceId!: Id | null;
  @Column('uuid', { name: 'actor_id', nullable: true }) actorId!: Id | null;
  @Column('text', { name: 'actor_name' }) actorName!: string;
  @Column('text', { name: 'actor_via' }) actorVia!: 'session' | 'token' | 'api_key' | 'system';
  @Column('text') action!: string;
  @Column('text', { name: 'resource_type' }) resourceType!: string;
  @Column('uuid', { name: 'resource_id', nullable: true }) resourceId!: Id | null;
  @Column('text', { name: 'resource_name' }) resourceName!: string;
  @Column('jsonb', { nullable: true }) before!: object | null;
  @Column('jsonb', { nullable: true }) after!: object | null;
  @Column('text', { name: 'request_id' }) requestId!: string;
  @Column('text') ip!: string;
  /** What the client called itself. */
  @Column('text', { name: 'client_id', nullable: true }) clientId!: string | null;
}
