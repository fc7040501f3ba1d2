import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

export const QUOTA_PERIODS = ['day', 'month'] as const;
/** Of UTC: a day, or a calendar month. */
export type QuotaPeriod = (typeof QUOTA_PERIODS)[number];

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
  /** Numbers of the versions that it opens; null: all, those that come later included. */
  @Column('json', { nullable: true }) versions!: number[] | null;
  /** Networks that it may be used from. */
  @Column('json', { name: 'allowed_addresses', nullable: true }) allowedAddresses!: string[] | null;
  /** Instead of the limit of the publication. */
  @Column('integer', { name: 'rate_limit', nullable: true }) rateLimit!: number | null;
  @Column('integer', { name: 'rate_window_seconds', nullable: true }) rateWindowSeconds!: number | null;
  /** Requests within each {@link quotaPer}; null: as many as the rate allows. */
  @Column('integer', { name: 'quota_limit', nullable: true }) quotaLimit!: number | null;
  @Column('text', { name: 'quota_per', nullable: true }) quotaPer!: QuotaPeriod | null;
  /** Beginning of the period that {@link quotaTaken} is of; null before the first request. */
  @Column('timestamptz', { name: 'quota_from', nullable: true }) quotaFrom!: Date | null;
  /** What was given out to nodes of it: what they have served, and at most a hundredth of the quota for each node beyond. */
  @Column('integer', { name: 'quota_taken', default: 0 }) quotaTaken!: number;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
}
