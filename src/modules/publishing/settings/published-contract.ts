import { Column } from 'typeorm';
import type { ColumnTypeName } from '../../../query/index.js';

export const AUTH_MODES = ['public', 'key'] as const;
/** Whether everybody may read, or whoever has a key. */
export type AuthMode = (typeof AUTH_MODES)[number];

/** What clients of a published view rely on: a column of its answers stays, and holds what it held. */
export interface ContractColumn {
  readonly key: string;
  readonly name: string;
  readonly type: ColumnTypeName;
  readonly list: boolean;
}

/** What readers of one version of a published view rely on. */
export abstract class PublishedContract {
  @Column('text') auth!: AuthMode;
  @Column('json') filterable!: string[];
  @Column('json') sortable!: string[];
  @Column('integer', { name: 'max_limit' }) maxLimit!: number;
  /** Of the view as it was published, with its columns spelled out. */
  @Column('json') definition!: object;
  @Column('json') pins!: object;
  @Column('json') columns!: ContractColumn[];
  /** Version of the view that is published. */
  @Column('integer', { name: 'view_version' }) viewVersion!: number;
  /** One more with each change; of no two versions of a publication the same. */
  @Column('integer') version!: number;
  /** When this version was published first. */
  @Column('timestamptz', { name: 'published_at' }) publishedAt!: Date;
}
