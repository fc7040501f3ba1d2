import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

export const VISIBILITIES = ['workspace', 'private'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** A JSON object that is kept as it was sent. */
export type StoredJson = object;

/** A stored question. */
@Entity({ name: 'views' })
export class ViewEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') name!: string;
  /** For uniqueness whatever the letter case. */
  @Column('text', { name: 'name_folded' }) nameFolded!: string;
  @Column('text', { nullable: true }) description!: string | null;
  @Column('text') visibility!: Visibility;
  /** Who made it; of a private one, who alone sees it. */
  @Column('uuid', { name: 'owner_id' }) ownerId!: Id;
  @Column('json') definition!: StoredJson;
  /** Ids of what the definition names. */
  @Column('json') pins!: StoredJson;
  /** How it is laid out. */
  @Column('json') settings!: StoredJson;
  /** One more with each change. */
  @Column('integer') version!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('uuid', { name: 'updated_by' }) updatedBy!: Id;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
