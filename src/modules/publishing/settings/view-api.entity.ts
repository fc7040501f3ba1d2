import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { PublishedContract } from './published-contract.js';

/** A view that is published: what holds for all of its versions, and the newest of them. */
@Entity({ name: 'view_apis' })
export class ViewApiEntity extends PublishedContract {
  @PrimaryColumn('uuid', { name: 'view_id' }) viewId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  /** Its name in the address; of all published views each has another. */
  @Column('text') slug!: string;
  @Column('boolean') enabled!: boolean;
  @Column('integer', { name: 'cache_seconds' }) cacheSeconds!: number;
  /** For so long beyond that it answers as it did last while another database is asked anew. */
  @Column('integer', { name: 'stale_while_revalidate_seconds', default: 0 }) staleWhileRevalidateSeconds!: number;
  /** For so long it answers as it did last while another database fails. */
  @Column('integer', { name: 'stale_if_error_seconds', default: 0 }) staleIfErrorSeconds!: number;
  @Column('integer', { name: 'rate_limit' }) rateLimit!: number;
  @Column('integer', { name: 'rate_window_seconds' }) rateWindowSeconds!: number;
  @Column('json', { name: 'cors_origins' }) corsOrigins!: string[];
  /** Whether there is a page for people. */
  @Column('boolean') page!: boolean;
  /** Number of the newest version: it grows by one with each that is published beside those before. */
  @Column('integer', { name: 'api_version', default: 1 }) apiVersion!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('uuid', { name: 'updated_by' }) updatedBy!: Id;
}
