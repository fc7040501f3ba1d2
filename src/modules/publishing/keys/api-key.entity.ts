import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

/** A key that opens one published view. What it opens never changes; who wants it otherwise makes another. */
@Entity({ name: 'view_api_keys' })
export class ApiKeyEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'view_id' }) viewId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') name!: string;
  /** Its beginning, by which people know it again. */
  @Column('text') prefix!: string;
  /** SHA-256 of the key, which itself is kept nowhere. */
  @Column('bytea') hash!: Buffer;
  /** Which rows it sees, as JSON. */
  @Column('json', { nullable: true }) filter!: object | null;
  /** Keys of the columns that it sees. */
  @Column('json', { nullable: true }) columns!: string[] | null;
  /** Networks that it may be used from. */
  @Column('json', { name: 'allowed_addresses', nullable: true }) allowedAddresses!: string[] | null;
  /** Instead of the limit of the publication. */
  @Column('integer', { name: 'rate_limit', nullable: true }) rateLimit!: number | null;
  @Column('integer', { name: 'rate_window_seconds', nullable: true }) rateWindowSeconds!: number | null;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
}
