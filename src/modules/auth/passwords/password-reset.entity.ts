import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { UserEntity } from '../../users/index.js';

/** The right to choose a new password once; the token itself is only in the mail. */
@Entity({ name: 'password_resets' })
export class PasswordResetEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'user_id' }) userId!: Id;
  @ManyToOne(() => UserEntity) @JoinColumn({ name: 'user_id' }) user?: UserEntity;
  @Column('bytea', { name: 'token_hash' }) tokenHash!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
}
