import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { SessionEntity } from './session.entity.js';

/** A token that can be exchanged once. The token itself is nowhere; used ones stay until they expire, to recognise reuse. */
@Entity({ name: 'refresh_tokens' })
export class RefreshTokenEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'session_id' }) sessionId!: Id;
  @ManyToOne(() => SessionEntity) @JoinColumn({ name: 'session_id' }) session?: SessionEntity;
  /** SHA-256 of the token; a slow hash is needless for 256 random bits. */
  @Column('bytea', { name: 'token_hash' }) tokenHash!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'used_at', nullable: true }) usedAt!: Date | null;
}
