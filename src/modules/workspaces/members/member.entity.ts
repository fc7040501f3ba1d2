import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id, Member, Role } from '../../../common/index.js';
import { UserEntity } from '../../users/index.js';
import { WorkspaceEntity } from '../workspace.entity.js';

/** One person in one workspace. */
@Entity({ name: 'workspace_members' })
export class MemberEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @ManyToOne(() => WorkspaceEntity) @JoinColumn({ name: 'workspace_id' }) workspace?: WorkspaceEntity;
  @Column('uuid', { name: 'user_id' }) userId!: Id;
  @ManyToOne(() => UserEntity) @JoinColumn({ name: 'user_id' }) user?: UserEntity;
  @Column('text') role!: Role;
  @Column('jsonb') attributes!: Member['attributes'];
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
