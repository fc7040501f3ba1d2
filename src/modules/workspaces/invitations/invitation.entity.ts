import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id, Role } from '../../../common/index.js';
import { UserEntity } from '../../users/index.js';
import { WorkspaceEntity } from '../workspace.entity.js';

/** An invitation that is open; one that was accepted, revoked or replaced is gone, and the audit log tells of it. */
@Entity({ name: 'invitations' })
export class InvitationEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @ManyToOne(() => WorkspaceEntity) @JoinColumn({ name: 'workspace_id' }) workspace?: WorkspaceEntity;
  /** Normalised; one open invitation for each address. */
  @Column('text') email!: string;
  @Column('text') role!: Role;
  @Column('bytea', { name: 'token_hash' }) tokenHash!: Buffer;
  @Column('uuid', { name: 'invited_by' }) invitedBy!: Id;
  @ManyToOne(() => UserEntity) @JoinColumn({ name: 'invited_by' }) inviter?: UserEntity;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
}
