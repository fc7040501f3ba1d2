import { Column } from 'typeorm';
import type { Id, Role } from '../../../common/index.js';
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

/** A table that is shown, and whose rules leave nothing out for readers of the publication. */
export interface RulesLeftOut {
  readonly tableId: Id;
  readonly table: string;
  /** How many rules it had. */
  readonly rules: number;
  /** Keys of the columns that one of them hides from somebody. */
  readonly hiddenColumns: readonly string[];
}

/** Whose rights a publication shows, as they were when it was published. */
export interface PublishedRights {
  readonly userId: Id;
  readonly role: Role;
  /** ISO 8601. */
  readonly at: string;
  /** The tables behind the view that had rules, which concern neither owners nor admins. */
  readonly rules: readonly RulesLeftOut[];
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
  /** Null where it was published before this was kept. */
  @Column('json', { nullable: true }) rights!: PublishedRights | null;
  /** Version of the view that is published. */
  @Column('integer', { name: 'view_version' }) viewVersion!: number;
  /** One more with each change; of no two versions of a publication the same. */
  @Column('integer') version!: number;
  /** When this version was published first. */
  @Column('timestamptz', { name: 'published_at' }) publishedAt!: Date;
}
