import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { StoredJson } from './view.entity.js';

/** What a view was from one change to the next. */
@Entity({ name: 'view_versions' })
export class ViewVersionEntity {
  @PrimaryColumn('uuid', { name: 'view_id' }) viewId!: Id;
  @PrimaryColumn('integer') version!: number;
  @Column('text') name!: string;
  @Column('text', { nullable: true }) description!: string | null;
  @Column('json') definition!: StoredJson;
  @Column('json') pins!: StoredJson;
  @Column('json') settings!: StoredJson;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
}
