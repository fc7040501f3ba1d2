import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { UserEntity } from '../../users/index.js';

/** One sign-in on one device; lives until it is revoked or not refreshed in time. */
@Entity({ name: 'sessions' })
export class SessionEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'user_id' }) userId!: Id;
  @ManyToOne(() => UserEntity) @JoinColumn({ name: 'user_id' }) user?: UserEntity;
  @Column('text', { name: 'user_agent' }) userAgent!: string;
  @Column('text') ip!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  /** Of the last sign-in or refresh; single requests are not written down. */
  @Column('timestamptz', { name: 'last_seen_at' }) lastSeenAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
  @Column('text', { name: 'revoked_reason', nullable: true }) revokedReason!: string | null;
}
