import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { ContractColumn } from './contract.js';

export const AUTH_MODES = ['public', 'key'] as const;
/** Whether everybody may read, or whoever has a key. */
export type AuthMode = (typeof AUTH_MODES)[number];

/** A view that is published: the view as it was then, and what may be asked of it. */
@Entity({ name: 'view_apis' })
export class ViewApiEntity {
  @PrimaryColumn('uuid', { name: 'view_id' }) viewId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  /** Its name in the address; of all published views each has another. */
  @Column('text') slug!: string;
  @Column('boolean') enabled!: boolean;
  @Column('text') auth!: AuthMode;
  @Column('integer', { name: 'cache_seconds' }) cacheSeconds!: number;
  /** For so long it answers as it did last while another database fails. */
  @Column('integer', { name: 'stale_if_error_seconds', default: 0 }) staleIfErrorSeconds!: number;
  @Column('integer', { name: 'rate_limit' }) rateLimit!: number;
  @Column('integer', { name: 'rate_window_seconds' }) rateWindowSeconds!: number;
  @Column('json', { name: 'cors_origins' }) corsOrigins!: string[];
  @Column('json') filterable!: string[];
  @Column('json') sortable!: string[];
  @Column('integer', { name: 'max_limit' }) maxLimit!: number;
  /** Whether there is a page for people. */
  @Column('boolean') page!: boolean;
  /** Of the view as it was published, with its columns spelled out. */
  @Column('json') definition!: object;
  @Column('json') pins!: object;
  @Column('json') columns!: ContractColumn[];
  /** Version of the view that is published. */
  @Column('integer', { name: 'view_version' }) viewVersion!: number;
  /** One more with each change. */
  @Column('integer') version!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('uuid', { name: 'updated_by' }) updatedBy!: Id;
}
