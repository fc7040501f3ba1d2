import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id, TokenScope } from '../../../common/index.js';
import { UserEntity } from '../../users/index.js';

/** A token by which programs call as a person. What it may never changes; who wants it otherwise makes another. */
@Entity({ name: 'personal_tokens' })
export class PersonalTokenEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'user_id' }) userId!: Id;
  @ManyToOne(() => UserEntity) @JoinColumn({ name: 'user_id' }) user?: UserEntity;
  @Column('text') name!: string;
  /** Its beginning, by which people know it again. */
  @Column('text') prefix!: string;
  /** SHA-256 of the token, which itself is kept nowhere. */
  @Column('bytea') hash!: Buffer;
  @Column('text') scope!: TokenScope;
  /** The only workspaces that it leads to; null: all of its person's. */
  @Column('json', { name: 'workspace_ids', nullable: true }) workspaceIds!: Id[] | null;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true }) lastUsedAt!: Date | null;
}
